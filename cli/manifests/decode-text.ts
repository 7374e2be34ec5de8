import { isAscii, isUtf8 } from 'node:buffer'
import type { Problem } from './problem.ts'
import { MAX_FILE_BYTES } from './read-all.ts'
import { SourceText } from './source-text.ts'

/** Turns a file's bytes into text: UTF-8, with or without a byte order mark. Anything else is a problem, with its place. */
export function decodeText(name: string, bytes: Uint8Array): SourceText | Problem {
  if (bytes.length > MAX_FILE_BYTES) return tooLarge(name)
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { code: 'unreadable', file: name, message: 'is UTF-16 text; save it as UTF-8' }
  }
  if (bytes.subarray(0, 8192).includes(0))
    return { code: 'unreadable', file: name, message: 'is a binary file, not YAML or JSON' }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // One byte for each letter is half the memory, and twice as fast to read.
  if (isAscii(buffer)) return new SourceText(name, buffer.toString('latin1'))
  return isUtf8(buffer) ? new SourceText(name, new TextDecoder('utf-8').decode(bytes)) : notUtf8(name, bytes)
}

/** `bytes`: how large it is, where that is known. */
export function tooLarge(name: string, bytes?: number): Problem {
  const size = bytes === undefined ? '' : ` (${Math.round(bytes / 1024 / 1024)} MiB)`
  const limit = MAX_FILE_BYTES / 1024 / 1024
  return { code: 'unreadable', file: name, message: `is too large${size}: a manifest file has at most ${limit} MiB` }
}

/** Points at the first byte that is not UTF-8. */
function notUtf8(name: string, bytes: Uint8Array): Problem {
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (decodes(bytes.subarray(0, middle), true)) good = middle
    else bad = middle
  }
  // `good` may end inside a character that was never finished: that character's first byte is to blame.
  let start = Math.min(good, bytes.length)
  while (start > 0 && !decodes(bytes.subarray(0, start), false)) start--
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, start))
  const byte = bytes[start]?.toString(16).padStart(2, '0')
  return {
    code: 'unreadable',
    file: name,
    at: { source: new SourceText(name, `${text}\ufffd`), start: text.length, end: text.length + 1 },
    message: `byte 0x${byte} is not UTF-8`,
  }
}

function decodes(bytes: Uint8Array, unfinished: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: unfinished })
    return true
  } catch {
    return false
  }
}
