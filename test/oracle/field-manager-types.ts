import { isList, isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'

export const NAMESPACE = 'field-manager'
const GROUP = 'fields.weir.dev'

/** A kind to try the field manager on. */
export interface TestType {
  readonly kind: string
  readonly plural: string
  readonly apiVersions: readonly string[]
  readonly hasStatus: boolean
  /** Compared between servers only. */
  readonly builtIn?: boolean
  readonly schema: JsonObject | undefined
  /** What the server makes of an object that it reads: no empty metadata, defaults filled in. */
  readonly decode: (object: JsonObject) => JsonObject
}

const STRING = { type: 'string' }
const STRINGS = { type: 'object', additionalProperties: STRING }
const PAIR = { a: { type: 'integer' }, b: STRING }

/** One field for every way that fields merge. */
const SPEC: JsonObject = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    ratio: { type: 'number' },
    name: STRING,
    on: { type: 'boolean' },
    maybe: { type: 'string', nullable: true },
    size: { 'x-kubernetes-int-or-string': true },
    labels: STRINGS,
    whole: { ...STRINGS, 'x-kubernetes-map-type': 'atomic' },
    pair: { type: 'object', properties: PAIR },
    wholePair: { type: 'object', properties: PAIR, 'x-kubernetes-map-type': 'atomic' },
    list: { type: 'array', items: STRING },
    tags: { type: 'array', items: STRING, 'x-kubernetes-list-type': 'set' },
    numbers: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: {
        type: 'object',
        required: ['port'],
        properties: {
          port: { type: 'integer' },
          protocol: { type: 'string', default: 'TCP' },
          name: STRING,
          options: STRINGS,
          routes: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: { type: 'object', required: ['name'], properties: { name: STRING, to: STRING } },
          },
        },
      },
    },
    byName: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { ...PAIR, tags: { type: 'array', items: STRING, 'x-kubernetes-list-type': 'set' } },
      },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    halfFree: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { pair: { type: 'object', properties: PAIR } },
    },
    embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  },
}

const STATUS: JsonObject = {
  type: 'object',
  properties: {
    phase: STRING,
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: { type: 'object', required: ['type'], properties: { type: STRING, status: STRING, reason: STRING } },
    },
  },
}

const TYPED: JsonObject = { type: 'object', properties: { spec: SPEC, status: STATUS } }
const PRESERVING: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function withoutEmptyMetadata(object: JsonObject): JsonObject {
  const isNothing = (value: JsonValue | undefined): boolean =>
    value === null || (isList(value) && value.length === 0) || (isMap(value) && Object.keys(value).length === 0)
  const metadata = Object.entries(isMap(object.metadata) ? object.metadata : {}).filter(
    ([, value]) => !isNothing(value),
  )
  return { ...object, metadata: Object.fromEntries(metadata) }
}

function decodeTyped(object: JsonObject): JsonObject {
  const decoded = withoutEmptyMetadata(object)
  if (!isMap(decoded.spec)) return decoded
  const { ports, embedded } = decoded.spec
  const spec = {
    ...decoded.spec,
    ...(isList(ports) && { ports: ports.map((port) => (isMap(port) ? { protocol: 'TCP', ...port } : port)) }),
    ...(isMap(embedded) && { embedded: withoutEmptyMetadata(embedded) }),
  }
  return { ...decoded, spec }
}

export const TYPES: readonly TestType[] = [
  {
    kind: 'Typed',
    plural: 'typeds',
    apiVersions: [`${GROUP}/v1`, `${GROUP}/v2`],
    hasStatus: true,
    schema: TYPED,
    decode: decodeTyped,
  },
  {
    kind: 'Plain',
    plural: 'plains',
    apiVersions: [`${GROUP}/v1`],
    hasStatus: false,
    schema: TYPED,
    decode: decodeTyped,
  },
  {
    kind: 'Preserving',
    plural: 'preservings',
    apiVersions: [`${GROUP}/v1`],
    hasStatus: false,
    schema: PRESERVING,
    decode: withoutEmptyMetadata,
  },
]

/** Kubernetes' own kinds. */
export const BUILT_IN_TYPES: readonly TestType[] = [
  ['ConfigMap', 'configmaps', 'v1'],
  ['ServiceAccount', 'serviceaccounts', 'v1'],
  ['Lease', 'leases', 'coordination.k8s.io/v1'],
].map(([kind = '', plural = '', apiVersion = '']) => ({
  kind,
  plural,
  apiVersions: [apiVersion],
  hasStatus: false,
  builtIn: true,
  schema: undefined,
  decode: (object) => object,
}))

export const CRDS: readonly JsonObject[] = TYPES.map((type) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${type.plural}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: type.kind, plural: type.plural, singular: type.kind.toLowerCase() },
    versions: type.apiVersions.map((apiVersion, i) => ({
      name: apiVersion.split('/')[1] ?? '',
      served: true,
      storage: i === 0,
      schema: { openAPIV3Schema: type.schema },
      ...(type.hasStatus && { subresources: { status: {} } }),
    })),
  },
}))
