/**
 * Creates the same CustomResourceDefinitions on a real kube-apiserver and on Weir's, and compares what both publish of them:
 * discovery, OpenAPI v3 and v2.
 *
 *   node test/oracle/documents.ts --kubeconfig FILE --against FILE
 */
import { parseArgs } from 'node:util'
import { equalValues, isList, isMap } from '../../crds/fieldmanager/value.ts'
import { customResourceDefinitions } from '../../crds/load.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { CRDS } from './field-manager-types.ts'
import { KubeClient } from './kube-client.ts'

const { values: options } = parseArgs({ options: { kubeconfig: { type: 'string' }, against: { type: 'string' } } })
if (!options.kubeconfig || !options.against) throw new Error('--kubeconfig FILE and --against FILE are needed')

/** One of everything that a published schema shows otherwise than the CRD has it. */
const ODD_SCHEMA: JsonObject = {
  type: 'object',
  description: 'Odd',
  required: ['spec'],
  'x-kubernetes-validations': [{ rule: 'has(self.spec)', message: 'no spec' }],
  properties: {
    metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 20 } } },
    spec: {
      type: 'object',
      required: ['a', 'maybe'],
      title: 'Title',
      externalDocs: { url: 'https://weir.dev', description: 'docs' },
      example: { a: 1 },
      properties: {
        a: {
          type: 'integer',
          format: 'int32',
          default: 3,
          minimum: 1,
          exclusiveMinimum: true,
          maximum: 9,
          multipleOf: 3,
        },
        maybe: { type: 'string', nullable: true, enum: ['x', 'y'] },
        either: { 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+%?$' },
        bounded: { 'x-kubernetes-int-or-string': true, anyOf: [{ minimum: 1 }, { maxLength: 3 }] },
        written: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        writtenDeep: {
          'x-kubernetes-int-or-string': true,
          allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { minimum: 1 }],
        },
        one: {
          type: 'object',
          properties: { x: { type: 'string' }, y: { type: 'string' } },
          oneOf: [{ required: ['x'] }, { required: ['y'] }],
          not: { properties: { x: { enum: ['z'] } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { x: { type: 'string' } } },
        freeList: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        set: {
          type: 'array',
          items: { type: 'string' },
          'x-kubernetes-list-type': 'set',
          maxItems: 5,
          uniqueItems: false,
        },
        nullableItems: { type: 'array', items: { type: 'string', nullable: true } },
        keyed: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } },
        },
        map: {
          type: 'object',
          additionalProperties: { type: 'integer', nullable: true },
          maxProperties: 3,
          required: ['r'],
        },
        whole: { type: 'object', additionalProperties: { type: 'integer' }, 'x-kubernetes-map-type': 'atomic' },
        closedMap: { type: 'object', additionalProperties: true },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object' } },
          required: ['spec'],
        },
        openEmbedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' } } },
  },
}

const ODD: readonly JsonObject[] = [
  crd('odds', 'Odd', 'Cluster', [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: ODD_SCHEMA },
      subresources: { status: {}, scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.replicas' } },
      selectableFields: [{ jsonPath: '.spec.a' }],
    },
    {
      name: 'v1beta1',
      served: true,
      storage: false,
      schema: { openAPIV3Schema: { ...ODD_SCHEMA, description: 'Beta' } },
    },
    { name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: ODD_SCHEMA } },
  ]),
  crd('opens', 'Open', 'Namespaced', [
    {
      name: 'v2',
      served: true,
      storage: true,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          description: 'Open',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      },
    },
  ]),
]

function crd(plural: string, kind: string, scope: string, versions: readonly JsonObject[]): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.odd.weir.dev` },
    spec: {
      group: 'odd.weir.dev',
      scope,
      names: { plural, kind, shortNames: [plural.slice(0, 2)], categories: ['all'] },
      versions,
    },
  }
}

const clients = [new KubeClient(options.kubeconfig), new KubeClient(options.against)] as const
/** Groups by name, and as definitions have them. */
const OURS = /(odd|fields|fleet|content)\.weir\.dev|^dev\.weir\.(odd|fields|fleet|content)\./
let differences = 0
try {
  for (const client of clients) await prepare(client)
  await compareDocuments()
} finally {
  for (const client of clients) client.close()
}
console.log(differences === 0 ? 'no difference' : `${differences} differences`)
process.exitCode = differences === 0 ? 0 : 1

async function prepare(client: KubeClient): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const definition of [...CRDS, ...ODD, ...customResourceDefinitions()]) {
    const { status, text } = await client.send('POST', path, definition)
    if (status !== 201 && status !== 409) throw new Error(text)
  }
  // Published, all of them, in every document.
  const deadline = Date.now() + 60_000
  const published = async (document: string): Promise<boolean> => {
    const { text } = await client.send('GET', document)
    return ['Odd', 'Open', 'Typed', 'Site', 'PlacementPlan'].every((kind) => text.includes(`"${kind}"`))
  }
  while (!(await published('/openapi/v2'))) if (Date.now() > deadline) throw new Error('not published')
  for (const group of ['odd.weir.dev/v1', 'odd.weir.dev/v1beta1', 'odd.weir.dev/v2']) {
    while ((await client.send('GET', `/openapi/v3/apis/${group}`)).status !== 200) {
      if (Date.now() > deadline) throw new Error(`${group} is not published`)
    }
  }
}

async function compareDocuments(): Promise<void> {
  for (const group of ['odd.weir.dev', 'fields.weir.dev', 'fleet.weir.dev', 'content.weir.dev']) {
    const list = await compare(`/apis/${group}`)
    const versions = isMap(list) && isList(list.versions) ? list.versions.filter(isMap) : []
    for (const { groupVersion } of versions) {
      await compare(`/apis/${String(groupVersion)}`)
      await compare(`/openapi/v3/apis/${String(groupVersion)}`)
    }
  }
  const ours = (value: JsonValue | undefined): JsonValue =>
    Object.fromEntries(Object.entries(value as JsonObject).filter(([name]) => OURS.test(name))) as JsonObject
  await compare('/openapi/v2', {}, (document) => ({
    definitions: ours((document as JsonObject).definitions),
    paths: ours((document as JsonObject).paths),
  }))
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  await compare('/apis', { accept }, (document) => {
    const items = (document as JsonObject).items as JsonObject[]
    return items.filter((item) => OURS.test(JSON.stringify(item.metadata)))
  })
}

async function compare(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  part: (document: JsonValue) => JsonValue = (document) => document,
): Promise<JsonValue> {
  const [kube, weir] = await Promise.all(
    clients.map(async (client) => (await client.send('GET', path, undefined, headers)).body ?? null),
  )
  const found = differ(part(inlined(kube ?? null, kube ?? null)), part(inlined(weir ?? null, weir ?? null)), '')
  differences += found.length
  console.log(`${path}: ${found.length === 0 ? 'same' : `different\n${found.slice(0, 12).join('\n')}`}`)
  return kube ?? null
}

/** A document with the references to its shared parameters resolved, and without parameters that Weir does not have. */
function inlined(value: JsonValue, document: JsonValue): JsonValue {
  if (isList(value)) return value.filter((item) => !isForeign(item, document)).map((item) => inlined(item, document))
  if (!isMap(value)) return value
  const shared = parameter(value, document)
  if (shared) return inlined(shared, document)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, inlined(item ?? null, document)]),
  ) as JsonObject
}

function parameter(value: JsonValue, document: JsonValue): JsonObject | undefined {
  const ref = isMap(value) && typeof value.$ref === 'string' ? /^#\/parameters\/(.*)$/.exec(value.$ref)?.[1] : undefined
  const parameters = isMap(document) ? document.parameters : undefined
  const found = ref !== undefined && isMap(parameters) ? parameters[ref] : undefined
  return isMap(found) ? found : undefined
}

function isForeign(value: JsonValue, document: JsonValue): boolean {
  const { name } = parameter(value, document) ?? (isMap(value) ? value : {})
  return name === 'shardSelector' || name === 'ignoreStoreReadErrorWithClusterBreakingPotential'
}

function differ(kube: JsonValue | undefined, weir: JsonValue | undefined, at: string): string[] {
  if (isMap(kube) && isMap(weir)) {
    const keys = new Set([...Object.keys(kube), ...Object.keys(weir)])
    return [...keys].flatMap((key) => differ(kube[key], weir[key], `${at}.${key}`))
  }
  if (isList(kube) && isList(weir) && kube.length === weir.length) {
    const name = (item: JsonValue): string => (isMap(item) ? String(item.name ?? item.resource ?? '') : '')
    const byName = (items: readonly JsonValue[]): JsonValue[] => [...items].sort((a, b) => (name(a) < name(b) ? -1 : 1))
    const [x, y] = [byName(kube), byName(weir)]
    return x.flatMap((item, i) => differ(item, y[i], `${at}[${i}]`))
  }
  // Every group of the real server has its own DeleteOptions.
  if (at.includes('DeleteOptions.x-kubernetes-group-version-kind')) return []
  return equalValues(kube, weir)
    ? []
    : [`${at}\n  kube: ${JSON.stringify(kube)?.slice(0, 300)}\n  weir: ${JSON.stringify(weir)?.slice(0, 300)}`]
}
