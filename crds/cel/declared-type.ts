import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  structNamed,
  TIMESTAMP,
} from './types/type.ts'

/** What a variable is: any JSON (`dyn`), a simple type, or made of such. Keys of maps are texts. */
export type DeclaredType =
  | keyof typeof SIMPLE
  | { readonly list: DeclaredType }
  | { readonly map: DeclaredType }
  /** An object of which only these fields may be named; `object` is what errors call its type. */
  | { readonly object: string; readonly fields: Readonly<Record<string, DeclaredType>> }

const SIMPLE = {
  dyn: DYN,
  bool: BOOL,
  int: INT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  duration: DURATION,
  timestamp: TIMESTAMP,
} as const

export function celType(declared: DeclaredType): CelType {
  if (typeof declared === 'string') return SIMPLE[declared]
  if ('list' in declared) return listOf(celType(declared.list))
  if ('map' in declared) return mapOf(STRING, celType(declared.map))
  return structNamed(declared.object)
}

/** The fields of every object within the declarations, by the types' names. */
export function declaredStructs(declarations: readonly DeclaredType[]): Map<string, ReadonlyMap<string, CelType>> {
  const structs = new Map<string, ReadonlyMap<string, CelType>>()
  for (const declared of declarations) collect(declared, structs)
  return structs
}

function collect(declared: DeclaredType, structs: Map<string, ReadonlyMap<string, CelType>>): void {
  if (typeof declared === 'string') return
  if ('list' in declared) collect(declared.list, structs)
  else if ('map' in declared) collect(declared.map, structs)
  else {
    const fields = Object.entries(declared.fields)
    structs.set(declared.object, new Map(fields.map(([name, field]) => [name, celType(field)])))
    for (const [, field] of fields) collect(field, structs)
  }
}

const TEXTS: DeclaredType = { list: 'string' }
const KIND: DeclaredType = {
  object: 'kubernetes.GroupVersionKind',
  fields: { group: 'string', version: 'string', kind: 'string' },
}
const RESOURCE: DeclaredType = {
  object: 'kubernetes.GroupVersionResource',
  fields: { group: 'string', version: 'string', resource: 'string' },
}

/** `request` in admission policies. */
export const ADMISSION_REQUEST: DeclaredType = {
  object: 'kubernetes.AdmissionRequest',
  fields: {
    kind: KIND,
    resource: RESOURCE,
    subResource: 'string',
    requestKind: KIND,
    requestResource: RESOURCE,
    requestSubResource: 'string',
    name: 'string',
    namespace: 'string',
    operation: 'string',
    userInfo: {
      object: 'kubernetes.UserInfo',
      fields: { username: 'string', uid: 'string', groups: TEXTS, extra: { map: TEXTS } },
    },
    dryRun: 'bool',
    options: 'dyn',
  },
}

/** `namespaceObject` in admission policies. */
export const NAMESPACE: DeclaredType = {
  object: 'kubernetes.Namespace',
  fields: {
    metadata: {
      object: 'kubernetes.NamespaceMetadata',
      fields: {
        name: 'string',
        generateName: 'string',
        namespace: 'string',
        labels: { map: 'string' },
        annotations: { map: 'string' },
        UID: 'string',
        creationTimestamp: 'timestamp',
        deletionGracePeriodSeconds: 'int',
        deletionTimestamp: 'timestamp',
        generation: 'int',
        resourceVersion: 'string',
        finalizers: TEXTS,
      },
    },
    spec: { object: 'kubernetes.NamespaceSpec', fields: { finalizers: TEXTS } },
    status: {
      object: 'kubernetes.NamespaceStatus',
      fields: {
        conditions: {
          list: {
            object: 'kubernetes.NamespaceCondition',
            fields: {
              status: 'string',
              type: 'string',
              lastTransitionTime: 'timestamp',
              message: 'string',
              reason: 'string',
            },
          },
        },
        phase: 'string',
      },
    },
  },
}
