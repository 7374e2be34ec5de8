import type { CelType } from '../types/type.ts'

/** Variables in sight, innermost first; names of an inner scope hide those outside. */
export class Scope {
  readonly #names: ReadonlyMap<string, CelType>
  readonly #outer: Scope | undefined

  constructor(names: ReadonlyMap<string, CelType>, outer?: Scope) {
    this.#names = names
    this.#outer = outer
  }

  find(name: string): CelType | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name)
  }

  with(...names: readonly (readonly [string, CelType])[]): Scope {
    return new Scope(new Map(names), this)
  }
}

/** The fields of struct types by the types' names. */
export type Structs = ReadonlyMap<string, ReadonlyMap<string, CelType>>
