import type { ApiObject } from '../json.ts'
import type { Transaction } from '../storage/store.ts'
import type { Target } from '../target.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

/** One write that asks to be let in. Objects are at the request's version. */
export interface Attributes {
  readonly operation: Operation
  readonly target: Target
  /** The final name, generated already. */
  readonly name: string
  /** Absent on DELETE. */
  readonly object?: ApiObject
  /** Absent on CREATE. */
  readonly old?: ApiObject
  readonly dryRun: boolean
}

/**
 * A gate that writes pass. Runs inside the write's transaction, synchronously: what it reads there still holds when the write
 * commits. Refuses by throwing an ApiError.
 */
export type Gate = (attributes: Attributes, tx: Transaction) => void

/** All gates: those that writes meet before the object is validated, and those after. */
export class Admission {
  readonly #first: readonly Gate[]
  readonly #last: readonly Gate[]

  constructor(gates: { readonly first: readonly Gate[]; readonly last: readonly Gate[] }) {
    this.#first = gates.first
    this.#last = gates.last
  }

  /** Before validation: may this write come in at all (namespace lifecycle). */
  enter(attributes: Attributes, tx: Transaction): void {
    for (const gate of this.#first) gate(attributes, tx)
  }

  /** After validation: policies. */
  validate(attributes: Attributes, tx: Transaction): void {
    for (const gate of this.#last) gate(attributes, tx)
  }
}
