/**
 * Drives random sequences of applies, updates and patches against a real kube-apiserver and compares every answer with
 * Weir's: with the pure field manager, or with a whole second server.
 *
 *   node test/oracle/field-manager.ts --kubeconfig FILE [--against FILE] [--seed N] [--sequences N] [--steps N]
 *     [--kinds Typed,ConfigMap]
 *
 * `--kubeconfig` names the real server, `--against` Weir's. Exit code 1 at the first difference, which is printed.
 */
import { parseArgs } from 'node:util'
import fastJsonPatch from 'fast-json-patch'
import { applyPatch } from '../../crds/fieldmanager/apply-patch.ts'
import { fieldSetOf } from '../../crds/fieldmanager/field-set.ts'
import { objectType } from '../../crds/fieldmanager/object-type.ts'
import type { FieldScope } from '../../crds/fieldmanager/request.ts'
import { trackUpdate, withoutTimeChurn } from '../../crds/fieldmanager/track-update.ts'
import { equalValues, isList, isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, KubeObject, ManagedFieldsEntry } from '../../crds/metadata.ts'
import { type Operation, randomOperation } from './field-manager-operations.ts'
import { BUILT_IN_TYPES, CRDS, NAMESPACE, type TestType, TYPES } from './field-manager-types.ts'
import { type Answer, KubeClient } from './kube-client.ts'
import { Random } from './random.ts'

const { values: options } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    against: { type: 'string' },
    seed: { type: 'string', default: '1' },
    sequences: { type: 'string', default: '50' },
    steps: { type: 'string', default: '30' },
    kinds: { type: 'string' },
  },
})
if (!options.kubeconfig) throw new Error('--kubeconfig FILE is needed')

const oracle = new KubeClient(options.kubeconfig)
const other = options.against === undefined ? undefined : new KubeClient(options.against)
const chosen = options.kinds?.split(',')
const kinds = [...TYPES, ...(other ? BUILT_IN_TYPES : [])].filter(({ kind }) => !chosen || chosen.includes(kind))
const counts = new Map<string, number>()

try {
  for (const client of other ? [oracle, other] : [oracle]) await prepare(client)
  for (let i = 0; i < Number(options.sequences); i++) await runSequence(Number(options.seed) + i)
  console.log('no difference', Object.fromEntries(counts))
} finally {
  oracle.close()
  other?.close()
}

async function prepare(client: KubeClient): Promise<void> {
  await client.send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  })
  for (const crd of CRDS.filter(({ spec }) =>
    kinds.some(({ kind }) => JSON.stringify(spec).includes(`"kind":"${kind}"`)),
  )) {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    await client.send('POST', path, crd)
    await until(async () => {
      const { body } = await client.send('GET', `${path}/${(crd.metadata as JsonObject).name}`)
      return JSON.stringify(body).includes('"type":"Established"')
    })
  }
  for (const type of kinds) await until(async () => (await client.send('GET', collection(type))).status === 200)
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error('waited for 30 s in vain')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function collection(type: TestType, apiVersion = type.apiVersions[0] ?? ''): string {
  return `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/namespaces/${NAMESPACE}/${type.plural}`
}

async function runSequence(seed: number): Promise<void> {
  const random = new Random(seed)
  const type = random.of(kinds)
  const name = `x-${seed}`
  for (const client of other ? [oracle, other] : [oracle]) await remove(client, `${collection(type)}/${name}`)
  let live: KubeObject | undefined
  let otherLive: KubeObject | undefined
  for (let step = 0; step < Number(options.steps); step++) {
    const operation = randomOperation(random, type, name, live)
    const answer = await perform(oracle, type, name, operation, live)
    counts.set(`${operation.verb} ${answer.status}`, (counts.get(`${operation.verb} ${answer.status}`) ?? 0) + 1)
    const weir = other
      ? outcomeOf(await perform(other, type, name, operation, otherLive))
      : model(type, operation, live, answer)
    const kube = outcomeOf(answer)
    // What validation refuses is not the field manager's to judge.
    if (!other && answer.status === 422) continue
    if (!sameOutcome(kube, weir)) {
      console.error(
        `seed ${seed} step ${step} of ${type.kind}\n${JSON.stringify(operation)}\nlive: ${JSON.stringify(live)}`,
      )
      for (const line of differences(asPlain(kube), asPlain(weir), '')) console.error(line)
      process.exit(1)
    }
    if (answer.status < 300) {
      live = answer.body as unknown as KubeObject
      otherLive = other && !('failure' in weir) ? weir.raw : undefined
    }
  }
}

function asPlain(outcome: Outcome): JsonValue {
  return 'failure' in outcome ? outcome.failure : { object: outcome.object, order: fieldOrder(outcome.raw) }
}

function differences(kube: JsonValue | undefined, weir: JsonValue | undefined, at: string): string[] {
  if (isMap(kube) && isMap(weir)) {
    const keys = new Set([...Object.keys(kube), ...Object.keys(weir)])
    return [...keys].flatMap((key) => differences(kube[key], weir[key], `${at}.${key}`))
  }
  if (isList(kube) && isList(weir)) {
    return [...(kube.length > weir.length ? kube : weir).keys()].flatMap((i) =>
      differences(kube[i], weir[i], `${at}[${i}]`),
    )
  }
  return equalValues(kube, weir) ? [] : [`${at}\n  kube: ${JSON.stringify(kube)}\n  weir: ${JSON.stringify(weir)}`]
}

function perform(
  client: KubeClient,
  type: TestType,
  name: string,
  operation: Operation,
  live: KubeObject | undefined,
): Promise<Answer> {
  const { verb, manager, apiVersion, subresource, body } = operation
  const path = `${collection(type, apiVersion)}/${name}${subresource ? `/${subresource}` : ''}`
  const query = `fieldManager=${manager}`
  switch (verb) {
    case 'apply':
      return client.send('PATCH', `${path}?${query}&force=${operation.force === true}`, body, {
        'content-type': 'application/apply-patch+yaml',
      })
    case 'create':
      return client.send('POST', `${collection(type, apiVersion)}?${query}`, body)
    case 'update': {
      const metadata = (body as JsonObject).metadata as JsonObject
      const { resourceVersion, uid } = live?.metadata ?? {}
      const sent = { ...(body as JsonObject), metadata: { ...metadata, resourceVersion, uid } }
      return client.send('PUT', `${path}?${query}`, sent)
    }
    case 'strategic':
      return client.send('PATCH', `${path}?${query}`, body, {
        'content-type': 'application/strategic-merge-patch+json',
      })
    case 'merge':
      return client.send('PATCH', `${path}?${query}`, body, { 'content-type': 'application/merge-patch+json' })
  }
}

async function remove(client: KubeClient, path: string): Promise<void> {
  const headers = { 'content-type': 'application/merge-patch+json' }
  await client.send('PATCH', path, { metadata: { finalizers: null } }, headers)
  await client.send('DELETE', path)
}

type Outcome = { readonly object: JsonValue; readonly raw: KubeObject } | { readonly failure: JsonValue }

function outcomeOf(answer: Answer): Outcome {
  if (answer.status < 300) return succeeded(answer.body as unknown as KubeObject)
  const body = answer.body as JsonObject
  const details = isMap(body.details) && isList(body.details.causes) ? sortedCauses(body.details.causes) : []
  // Of several validation errors the real server names first whichever its maps happen to yield.
  const message = answer.status === 422 ? undefined : body.message
  return { failure: { code: answer.status, message, causes: details } }
}

function sortedCauses(causes: readonly JsonValue[]): JsonValue {
  return [...causes].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function succeeded(object: KubeObject): Outcome {
  const {
    uid: _u,
    resourceVersion: _r,
    creationTimestamp: _c,
    generation: _g,
    managedFields,
    ...metadata
  } = object.metadata
  const entries = (managedFields ?? [])
    .map((entry) => ({ ...entry, ...(entry.time !== undefined && { time: 'T' }) }))
    .map((entry) => JSON.stringify(sorted(entry as unknown as JsonValue)))
    .sort()
    .map((entry) => JSON.parse(entry) as JsonValue)
  return {
    object: {
      ...(object as unknown as JsonObject),
      metadata: { ...metadata, managedFields: entries } as unknown as JsonObject,
    },
    raw: object,
  }
}

/** With sorted keys, except where order is what is compared. */
function sorted(value: JsonValue): JsonValue {
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, key === 'fieldsV1' ? (item ?? null) : sorted(item ?? null)]),
  )
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  if ('failure' in a || 'failure' in b) return 'failure' in a && 'failure' in b && equalValues(a.failure, b.failure)
  return equalValues(a.object, b.object) && fieldOrder(a.raw) === fieldOrder(b.raw)
}

/** The bytes of each entry's fields, whose order equality does not see. */
function fieldOrder(object: KubeObject): string {
  return (object.metadata.managedFields ?? [])
    .map((entry) => JSON.stringify(entry.fieldsV1))
    .sort()
    .join('\n')
}

/** What Weir's field manager makes of an operation on the real server's object. */
function model(type: TestType, operation: Operation, live: KubeObject | undefined, answer: Answer): Outcome {
  const subresource = operation.subresource ?? ''
  const scope = scopeOf(type, operation.apiVersion, subresource)
  const now = latestTime(answer) ?? latestTimeOf(live) ?? '2026-01-01T00:00:00Z'
  const before = live && ({ ...live, apiVersion: operation.apiVersion } as KubeObject)
  if (operation.verb === 'apply') {
    const result = applyPatch({
      scope,
      ...(before && { live: before }),
      patch: operation.body as JsonObject,
      manager: operation.manager,
      force: operation.force === true,
      now,
    })
    if (result.outcome === 'conflict') {
      const causes = result.conflicts.map(({ field, message }) => ({ reason: 'FieldManagerConflict', message, field }))
      return { failure: { code: 409, message: result.message, causes: sortedCauses(causes) } }
    }
    if (result.outcome === 'invalid') return { failure: { code: result.code, message: result.message, causes: [] } }
    return stored(type, operation, before, result.object)
  }
  if (answer.status >= 300) return outcomeOf(answer)
  const updated =
    operation.verb === 'merge'
      ? merged(before, operation.body as JsonObject)
      : (operation.body as unknown as KubeObject)
  const defaulted = type.decode(updated as unknown as JsonObject) as unknown as KubeObject
  const tracked = trackUpdate({
    scope,
    ...(before && { live: before }),
    updated: defaulted,
    manager: operation.manager,
    now,
  })
  return stored(type, operation, before, tracked)
}

function stored(type: TestType, operation: Operation, before: KubeObject | undefined, object: KubeObject): Outcome {
  let kept = type.decode(object as unknown as JsonObject)
  const old = before as unknown as JsonObject | undefined
  if (operation.subresource === 'status') {
    kept = {
      ...old,
      status: kept.status,
      metadata: {
        ...(old?.metadata as JsonObject),
        managedFields: object.metadata.managedFields as unknown as JsonValue,
      },
    }
  } else if (type.hasStatus) kept = { ...kept, status: old?.status }
  kept = { ...kept, metadata: { ...(kept.metadata as JsonObject), namespace: NAMESPACE } }
  const result = kept as unknown as KubeObject
  return succeeded(before ? withoutTimeChurn(result, before) : result)
}

function merged(live: KubeObject | undefined, patch: JsonObject): KubeObject {
  const apply = (target: JsonValue | undefined, change: JsonValue): JsonValue => {
    if (!isMap(change)) return change
    const result: Record<string, JsonValue | undefined> = isMap(target) ? { ...target } : {}
    for (const [key, value] of Object.entries(change)) {
      if (value === null) delete result[key]
      else result[key] = apply(result[key], value ?? null)
    }
    return result
  }
  return apply(fastJsonPatch.deepClone(live) as JsonValue, patch) as unknown as KubeObject
}

function scopeOf(type: TestType, apiVersion: string, subresource: string): FieldScope {
  const reset = !type.hasStatus
    ? undefined
    : subresource === 'status'
      ? fieldSetOf(['metadata'], ['spec'])
      : fieldSetOf(['status'])
  return {
    apiVersion,
    kind: type.kind,
    subresource,
    typeOf: (version) => (type.apiVersions.includes(version) ? objectType(type.schema) : undefined),
    resetFields: (version) => (subresource === 'status' || version === apiVersion ? reset : undefined),
    emptyObject: { apiVersion, kind: type.kind, metadata: {} },
    emptyListResets: false,
  }
}

function latestTime(answer: Answer): string | undefined {
  return answer.status < 300 ? latestTimeOf(answer.body as unknown as KubeObject) : undefined
}

function latestTimeOf(object: KubeObject | undefined): string | undefined {
  return (object?.metadata.managedFields ?? [])
    .map((entry: ManagedFieldsEntry) => entry.time ?? '')
    .sort()
    .at(-1)
}
