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

/** 4 GiB: more cannot be had in one piece. */
const MAX_PAGES = 65_536

/** So many pages at first, and at most. RangeError when there is no memory. */
export const pageMemory = (initial: number, maximum = MAX_PAGES): PageMemory =>
  new WebAssembly.Memory({ initial, maximum })

/** So few bytes stay in caches wherever they begin, and are copied in tens of µs; each page memory reserves 10 GiB of addresses, and most never need it. */
export const FEW_BYTES = 1 << 18

/** Zeros that begin at a cache line, which those of a `new ArrayBuffer` need not do: as many bytes, or more. */
export function alignedBytes(bytes: number): ArrayBuffer {
  if (bytes <= FEW_BYTES) return new ArrayBuffer(bytes)
  const pages = Math.ceil(bytes / PAGE_BYTES)
  return pageMemory(pages, pages).buffer
}
