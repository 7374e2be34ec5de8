/** The types of CEL. `param` stands for any type until it is bound; `error` for what could not be typed. */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  /** An object with named fields; which fields is known to the one who declares the name. */
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly CelType[] }
  | { readonly kind: 'type'; readonly of: CelType | undefined }
  | { readonly kind: 'param'; readonly name: string }

type SimpleKind =
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'dyn'
  | 'error'

export const NULL: CelType = { kind: 'null' }
export const BOOL: CelType = { kind: 'bool' }
export const INT: CelType = { kind: 'int' }
export const UINT: CelType = { kind: 'uint' }
export const DOUBLE: CelType = { kind: 'double' }
export const STRING: CelType = { kind: 'string' }
export const BYTES: CelType = { kind: 'bytes' }
export const DURATION: CelType = { kind: 'duration' }
export const TIMESTAMP: CelType = { kind: 'timestamp' }
export const DYN: CelType = { kind: 'dyn' }
export const ERROR: CelType = { kind: 'error' }

export const listOf = (element: CelType): CelType => ({ kind: 'list', element })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })
export const structNamed = (name: string): CelType => ({ kind: 'struct', name })
export const opaque = (name: string, ...params: readonly CelType[]): CelType => ({ kind: 'opaque', name, params })
export const optionalOf = (type: CelType): CelType => opaque('optional_type', type)
export const typeOf = (of: CelType | undefined): CelType => ({ kind: 'type', of })
export const param = (name: string): CelType => ({ kind: 'param', name })

export const QUANTITY: CelType = structNamed('kubernetes.Quantity')
export const URL_TYPE: CelType = structNamed('kubernetes.URL')
export const SEMVER: CelType = structNamed('kubernetes.Semver')
export const FORMAT: CelType = structNamed('kubernetes.NamedFormat')
export const IP: CelType = opaque('net.IP')
export const CIDR: CelType = opaque('net.CIDR')

/** The type inside `optional_type(T)`; undefined where it is no optional. */
export function optionalInner(type: CelType): CelType | undefined {
  return type.kind === 'opaque' && type.name === 'optional_type' ? type.params[0] : undefined
}

/** A type as cel-go writes it in errors: `list(string)`, `map(string, int)`, `optional_type(int)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'error':
      return '!error!'
    case 'list':
      return `list(${formatType(type.element)})`
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`
    case 'struct':
    case 'param':
      return type.name
    case 'opaque':
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`
    case 'type':
      return type.of ? `type(${formatType(type.of)})` : 'type'
    default:
      return type.kind
  }
}

/** Whether two types are the same in all their parts. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  switch (a.kind) {
    case 'list':
      return b.kind === 'list' && sameType(a.element, b.element)
    case 'map':
      return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value)
    case 'struct':
    case 'param':
      return b.kind === a.kind && a.name === b.name
    case 'opaque':
      return b.kind === 'opaque' && a.name === b.name && sameTypes(a.params, b.params)
    case 'type':
      return b.kind === 'type' && (a.of && b.of ? sameType(a.of, b.of) : a.of === b.of)
    default:
      return a.kind === b.kind
  }
}

function sameTypes(a: readonly CelType[], b: readonly CelType[]): boolean {
  return a.length === b.length && a.every((type, i) => sameType(type, b[i] as CelType))
}
