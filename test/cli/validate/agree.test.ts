import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { JsonObject, KubeObject } from '../../../crds/metadata.ts'
import { ApiError } from '../../../runtime/errors.ts'
import { crdFiles, example, wrongObject, wrongSamples } from '../../crds/samples.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { inProcess } from '../in-process.ts'

/** Objects of the corpus, good and bad, beside those of test/crds/samples.ts. What servers say of them is asked for, not written down. */
const core: readonly [string, JsonObject][] = [
  ['a ConfigMap', { kind: 'ConfigMap', data: { a: 'b' } }],
  ['a number where a text belongs', { kind: 'ConfigMap', data: { a: 1 } }],
  ['a list where a map belongs', { kind: 'ConfigMap', data: ['a'] }],
  ['null where a map belongs', { kind: 'ConfigMap', data: null }],
  ['a key that cannot be', { kind: 'ConfigMap', data: { 'a/b': 'c' } }],
  ['an unknown field', { kind: 'ConfigMap', datta: {} }],
  ['bytes that are none', { kind: 'ConfigMap', binaryData: { a: '*' } }],
  ['the same key twice', { kind: 'ConfigMap', data: { a: 'b' }, binaryData: { a: 'aGk=' } }],
  ['a label that cannot be', { kind: 'ConfigMap', metadata: { labels: { 'a b': 'c' } } }],
  ['a label value that cannot be', { kind: 'ConfigMap', metadata: { labels: { a: '-' } } }],
  ['a label that is a number', { kind: 'ConfigMap', metadata: { labels: { a: 1 } } }],
  ['an annotation that is a map', { kind: 'ConfigMap', metadata: { annotations: { a: {} } } }],
  ['a finalizer that is no list', { kind: 'ConfigMap', metadata: { finalizers: 'a' } }],
  ['unknown metadata', { kind: 'ConfigMap', metadata: { lables: {} } }],
  ['a name that cannot be', { kind: 'ConfigMap', metadata: { name: 'A_b' } }],
  [
    'an owner without a uid',
    { kind: 'ConfigMap', metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x' }] } },
  ],
  ['a Secret', { kind: 'Secret', stringData: { a: 'b' } }],
  ['a Secret of a type that lacks its keys', { kind: 'Secret', type: 'kubernetes.io/tls', data: {} }],
  ['a ServiceAccount', { kind: 'ServiceAccount', automountServiceAccountToken: false }],
  ['a word where a boolean belongs', { kind: 'ServiceAccount', automountServiceAccountToken: 'no' }],
  [
    'a Role',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    },
  ],
  [
    'a Role without verbs',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }],
    },
  ],
  [
    'a binding of nothing',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Rule', name: 'x' },
      subjects: [],
    },
  ],
  [
    'a Lease that lasts less than nothing',
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { leaseDurationSeconds: -1 } },
  ],
]

const fleet: readonly [string, string, Readonly<Record<string, unknown>>][] = [
  ['a status that is wrong is not looked at', 'Site', { status: { appliances: { total: 'many' } } }],
  ['an unknown field within a status', 'Site', { status: { nope: 1 } }],
  ['two things wrong, of which one hides rules', 'Site', { spec: { country: 'de', metro: 5 } }],
  ['a null where a list belongs', 'Site', { spec: { country: 'DE', metro: 'fra', parents: null } }],
  ['a null where a text must be', 'Site', { spec: { country: null, metro: 'fra' } }],
  ['labels that cannot be', 'Site', { metadata: { name: 'x', labels: { a: 'b c' } } }],
  ['a name that is too long for an appliance', 'Appliance', { metadata: { name: 'a'.repeat(64) } }],
  ['no spec', 'Catalog', { spec: undefined }],
  [
    'copies of neither kind',
    'PlacementPolicy',
    { spec: { catalogRef: { name: 'x' }, pins: [{ paths: ['a'], copies: 'some' }] } },
  ],
]

interface Case {
  readonly why: string
  readonly object: KubeObject & JsonObject
}

const cases: readonly Case[] = [
  ...core.map(([why, object]) => ({ why, object: { apiVersion: 'v1', ...object } })),
  ...crdFiles.map(({ crd }) => ({
    why: `the example of a ${crd.spec.names.kind}`,
    object: example(crd.spec.names.kind),
  })),
  ...wrongSamples.map((sample) => ({ why: sample.why, object: wrongObject(sample) })),
  ...fleet.map(([why, kind, change]) => ({ why, object: { ...example(kind), ...change } })),
].map(({ why, object }) => {
  const metadata = { name: 'x', ...((object as JsonObject).metadata as JsonObject | undefined), namespace: 'default' }
  return { why, object: { ...object, metadata } as unknown as Case['object'] }
})

interface Verdict {
  readonly accepted: boolean
  /** The fields that are told. */
  readonly fields: readonly string[]
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => server[Symbol.asyncDispose]())

async function ofServer({ object }: Case): Promise<Verdict> {
  const { apiVersion, kind } = object
  const plural =
    {
      PlacementPolicy: 'placementpolicies',
      SteeringPolicy: 'steeringpolicies',
      HardwareClass: 'hardwareclasses',
    }[kind] ?? `${kind.toLowerCase()}s`
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const resource = { group: group!, version: version!, kind, plural, namespaced: kind !== 'HardwareClass' }
  try {
    await server.client.create(resource, object, { dryRun: true, fieldValidation: 'Strict' })
    return { accepted: true, fields: [] }
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 422 && error.code !== 400)) throw error
    const unknown = [...error.message.matchAll(/unknown field "([^"]+)"/g)].map((match) => match[1]!)
    const causes = error.causes.flatMap(({ field }) => (field && field !== '<nil>' ? [field] : []))
    return { accepted: false, fields: [...unknown, ...causes] }
  }
}

async function offline({ object }: Case): Promise<Verdict> {
  const { code, stdout } = await inProcess(['validate', '-f', '-', '-o', 'json', '--ignore', 'not-checked'], {
    input: JSON.stringify(object),
  })
  const { problems } = JSON.parse(stdout) as { problems: { severity: string; field?: string }[] }
  const errors = problems.filter(({ severity }) => severity === 'error')
  return { accepted: code === 0, fields: errors.flatMap(({ field }) => field ?? []) }
}

describe('validate and the server agree', () => {
  test.each(cases.map((one) => [`${one.object.kind}: ${one.why}`, one] as const))('%s', async (_why, one) => {
    const [theirs, ours] = await Promise.all([ofServer(one), offline(one)])
    // We tell more: values of wrong types at their places, and all kinds of errors in one run.
    const missing = theirs.fields.filter((field) => !ours.fields.includes(field))
    expect({ accepted: ours.accepted, missing }).toEqual({ accepted: theirs.accepted, missing: [] })
  })

  test('there is something of either', async () => {
    const verdicts = await Promise.all(cases.map(offline))
    const accepted = verdicts.filter((verdict) => verdict.accepted).length
    expect(accepted).toBeGreaterThan(10)
    expect(verdicts.length - accepted).toBeGreaterThan(40)
  })
})
