import type { CelType } from '../types/type.ts'

/**
 * A value at run time. CEL's int is a bigint (64 bits, checked), double a number, so that 1 and 1.0 stay apart; text is a
 * string, measured in code points.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelDuration
  | CelTimestamp
  | CelList
  | CelMap
  | CelOptional
  | CelTypeValue
  | CelOpaque

/** What evaluating gives: a value, or an error that `&&` and `||` may still absorb. */
export type Result = Value | CelError

export class CelError {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

export const noSuchOverload = (): CelError => new CelError('no such overload')

export class CelUint {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

export class CelDuration {
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

/** A moment, in nanoseconds since 1970 UTC. The zone it was written in, in minutes east, only shows when written again. */
export class CelTimestamp {
  readonly nanoseconds: bigint
  readonly zone: number

  constructor(nanoseconds: bigint, zone = 0) {
    this.nanoseconds = nanoseconds
    this.zone = zone
  }
}

/** A type as a value: what `type(x)` gives and `int` names. */
export class CelTypeValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A value or none. */
export class CelOptional {
  readonly value: Value | undefined

  constructor(value: Value | undefined) {
    this.value = value
  }
}

export const OPTIONAL_NONE = new CelOptional(undefined)

/** A value of a type that a library adds (quantity, URL, IP …): what the evaluator must know of it. */
export abstract class CelOpaque {
  abstract readonly type: CelType
  /** Whether equal; only asked of values of the same class. */
  abstract equals(other: CelOpaque): boolean
  /** What `string(x)` gives, where that is defined. */
  toText(): string | undefined {
    return undefined
  }
  /** Its size in bytes where runtime cost depends on it. */
  get size(): number {
    return 1
  }
}

/** A list; items may be made when asked for. */
export abstract class CelList {
  abstract readonly size: number
  /** Whether only ints may index it, and no whole numbers of other types. */
  get strictIndex(): boolean {
    return false
  }
  /** The item at a place known to exist. */
  abstract at(index: number): Result
  /** `this + other`. */
  plus(other: CelList): Result {
    return new ArrayList([...items(this), ...items(other)])
  }
  /** Overrides item-by-item equality, where order does not count. */
  equalTo?(other: CelList, equal: (a: Value, b: Value) => Result): Result
}

export class ArrayList extends CelList {
  readonly #items: readonly Result[]

  constructor(items: readonly Result[]) {
    super()
    this.#items = items
  }
  get size(): number {
    return this.#items.length
  }
  at(index: number): Result {
    return this.#items[index] ?? null
  }
}

export function items(list: CelList): Result[] {
  return Array.from({ length: list.size }, (_, i) => list.at(i))
}

/** A map or an object. */
export abstract class CelMap {
  abstract readonly size: number
  /** The value of a key; undefined where it has none. */
  abstract find(key: Value): Result | undefined
  abstract keys(): readonly Value[]
}

export class EntryMap extends CelMap {
  readonly #entries: ReadonlyMap<string, readonly [Value, Value]>

  constructor(entries: ReadonlyMap<string, readonly [Value, Value]>) {
    super()
    this.#entries = entries
  }
  get size(): number {
    return this.#entries.size
  }
  find(key: Value): Result | undefined {
    const id = keyId(key)
    return id === undefined ? undefined : this.#entries.get(id)?.[1]
  }
  keys(): readonly Value[] {
    return [...this.#entries.values()].map(([key]) => key)
  }
  entries(): ReadonlyMap<string, readonly [Value, Value]> {
    return this.#entries
  }
}

/** What makes a key the same as another: 1, 1u and 1.0 are one key. Undefined for what cannot be a key. */
export function keyId(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'boolean') return `b${key}`
  if (typeof key === 'bigint') return `n${key}`
  if (key instanceof CelUint) return `n${key.value}`
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`
  return undefined
}

/** The name of a value's type, as errors and `type(x)` tell it. */
export function typeName(value: Value): string {
  if (value === null) return 'null_type'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
  }
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelUint) return 'uint'
  if (value instanceof CelDuration) return 'google.protobuf.Duration'
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp'
  if (value instanceof CelList) return 'list'
  if (value instanceof CelMap) return 'map'
  if (value instanceof CelOptional) return 'optional_type'
  if (value instanceof CelTypeValue) return 'type'
  return value.type.kind === 'struct' || value.type.kind === 'opaque' ? value.type.name : value.type.kind
}
