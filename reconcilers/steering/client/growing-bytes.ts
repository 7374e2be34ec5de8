import { FEW_BYTES, PAGE_BYTES, type PageMemory, pageMemory } from '../page-memory.ts'

/** It doubles, up to so many bytes at a time, or becomes as long as is asked. */
const STEP_BYTES = 4 << 20

/** Bytes in one piece, of zeros at first, that grow without a pause, however many there are. What was never written to takes no memory. At most 4 GiB. */
export class GrowingBytes {
  #memory: PageMemory | undefined
  /** Another one after it has grown. */
  buffer: ArrayBuffer

  constructor(bytes: number) {
    if (bytes > FEW_BYTES) this.#memory = pageMemory(Math.ceil(bytes / PAGE_BYTES))
    this.buffer = this.#memory?.buffer ?? new ArrayBuffer(bytes)
  }

  /** Makes it so long at least. RangeError when there is no memory. */
  grow(bytes: number): void {
    const before = this.buffer
    const length = Math.max(bytes, before.byteLength + Math.min(before.byteLength, STEP_BYTES))
    if (this.#memory) this.#memory.grow(Math.ceil((length - before.byteLength) / PAGE_BYTES))
    else if (length > FEW_BYTES) this.#memory = pageMemory(Math.ceil(length / PAGE_BYTES))
    this.buffer = this.#memory?.buffer ?? new ArrayBuffer(length)
    // Page memory that has grown has left the old buffer empty.
    if (before.byteLength > 0) new Uint8Array(this.buffer).set(new Uint8Array(before))
  }
}
