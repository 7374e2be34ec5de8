/** Has work of a millisecond or more done one piece after the other, and whatever else there is to do in between: answers do not wait for all of it. */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is the caller's turn: in the order of calls, one in each turn of the event loop. What is to be done then must be done at once. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) setImmediate(() => this.#give())
    })
  }

  #give(): void {
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(() => this.#give())
  }
}
