/** What the heap orders. The heap keeps `heapIndex`: -1 while the entry is not in it. */
export interface Delayed {
  dueMs: number
  heapIndex: number
}

/** A binary min-heap by `dueMs` whose entries know their place, so that any of them can be moved or taken out in O(log n). */
export class DelayHeap<T extends Delayed> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  peek(): T | undefined {
    return this.#heap[0]
  }

  /** Puts the entry in, or moves it to its new `dueMs`. */
  put(entry: T, dueMs: number): void {
    entry.dueMs = dueMs
    if (entry.heapIndex < 0) {
      entry.heapIndex = this.#heap.length
      this.#heap.push(entry)
    }
    this.#up(entry)
    this.#down(entry)
  }

  remove(entry: T): void {
    const at = entry.heapIndex
    if (at < 0) return
    entry.heapIndex = -1
    const last = this.#heap.pop()!
    if (last === entry) return
    last.heapIndex = at
    this.#heap[at] = last
    this.#up(last)
    this.#down(last)
  }

  #up(entry: T): void {
    let at = entry.heapIndex
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = this.#heap[parentAt]!
      if (parent.dueMs <= entry.dueMs) break
      this.#heap[at] = parent
      parent.heapIndex = at
      at = parentAt
    }
    this.#heap[at] = entry
    entry.heapIndex = at
  }

  #down(entry: T): void {
    let at = entry.heapIndex
    for (;;) {
      let childAt = 2 * at + 1
      if (childAt >= this.#heap.length) break
      let child = this.#heap[childAt]!
      const right = this.#heap[childAt + 1]
      if (right && right.dueMs < child.dueMs) {
        child = right
        childAt++
      }
      if (child.dueMs >= entry.dueMs) break
      this.#heap[at] = child
      child.heapIndex = at
      at = childAt
    }
    this.#heap[at] = entry
    entry.heapIndex = at
  }
}
