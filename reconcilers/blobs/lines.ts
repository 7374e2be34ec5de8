const NEWLINE = 0x0a
/** Text decoded at a time: a blob of a million lines is never in memory as one string, nor as a million pieces of one. */
const BLOCK_BYTES = 1 << 20

/** The lines of UTF-8 text, without their newlines; what comes after the last newline is one only if there is anything. */
export function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for (let start = 0; start < bytes.length; ) {
    let end = bytes.length
    if (end - start > BLOCK_BYTES) {
      const last = bytes.subarray(start, start + BLOCK_BYTES).lastIndexOf(NEWLINE)
      // A line longer than a block is one by itself.
      const next = last >= 0 ? start + last : bytes.indexOf(NEWLINE, start + BLOCK_BYTES)
      if (next >= 0) end = next + 1
    }
    const lines = decoder.decode(bytes.subarray(start, end)).split('\n')
    const rest = lines.pop()!
    yield* lines
    if (rest !== '') yield rest
    start = end
  }
}

/** How many lines `linesOf` gives. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0
  let start = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, start)) {
    lines++
    start = at + 1
  }
  return start < bytes.length ? lines + 1 : lines
}
