/** What is needed here of WebAssembly's API, which Node has and its types do not tell of. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => PageMemory
}

/** Memory that begins at a page, and so at a cache line, and that grows in place; `buffer` is another one after it has grown. */
export interface PageMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What it grows by. */
export const PAGE_BYTES = 65_536

/** So many pages at first, and at most: 65,536 are 4 GiB. RangeError when there is no memory. */
export const pageMemory = (initial: number, maximum: number): PageMemory => new WebAssembly.Memory({ initial, maximum })

/** Zeros that begin at a cache line, which a `new ArrayBuffer` need not do: as many bytes, or a few more. */
export function alignedBytes(bytes: number): ArrayBuffer {
  const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES))
  return pageMemory(pages, pages).buffer
}
