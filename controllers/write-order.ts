/**
 * Lets writes of one object follow one another. Two controllers of one process that write the same object at the same moment would cost a
 * request that is refused; whoever comes second sees what the first has written before it decides whether to write at all.
 */
export class WriteOrder {
  readonly #last = new Map<string, Promise<unknown>>()

  async run<T>(id: string, write: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id)
    const own = before ? before.then(write, write) : write()
    this.#last.set(id, own)
    try {
      return await own
    } finally {
      if (this.#last.get(id) === own) this.#last.delete(id)
    }
  }
}
