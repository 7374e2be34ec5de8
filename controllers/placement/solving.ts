/** What is being solved now: for metrics. */
export class Solving {
  readonly #done = new Map<string, number>()

  /** `policy`: `namespace/name`. `done`: 0–1. */
  set(policy: string, done: number): void {
    this.#done.set(policy, done)
  }

  delete(policy: string): void {
    this.#done.delete(policy)
  }

  list(): readonly { readonly policy: string; readonly done: number }[] {
    return [...this.#done].map(([policy, done]) => ({ policy, done }))
  }
}
