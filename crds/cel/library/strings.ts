import { runes } from '../../validation/value-checks.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { DYN, INT, listOf, STRING } from '../types/type.ts'
import { ArrayList, CelError, type CelList, type Result, type Value } from '../values/value.ts'
import { formatText } from './string-format.ts'

/** The strings extension, version 2. Positions count code points. */

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`)

function charAt(text: string, index: bigint): Result {
  const characters = [...text]
  if (index < 0n || index > BigInt(characters.length)) return outOfRange(index)
  return characters[Number(index)] ?? ''
}

function indexOf(text: string, part: string, offset: bigint): Result {
  if (part === '') return offset
  if (offset < 0n) return outOfRange(offset)
  const characters = [...text]
  if (offset >= BigInt(characters.length)) return -1n
  const skipped = characters.slice(0, Number(offset)).join('')
  const found = text.indexOf(part, skipped.length)
  return found === -1 ? -1n : BigInt(runes(text.slice(0, found)))
}

function lastIndexOf(text: string, part: string, offset: bigint | undefined): Result {
  const characters = [...text]
  if (part === '') return offset ?? BigInt(characters.length)
  if (offset === undefined && Buffer.byteLength(text) < Buffer.byteLength(part)) return -1n
  const from = offset ?? BigInt(characters.length - 1)
  if (from < 0n) return outOfRange(from)
  if (from >= BigInt(characters.length)) return -1n
  const found = text.lastIndexOf(part, characters.slice(0, Number(from)).join('').length)
  return found === -1 ? -1n : BigInt(runes(text.slice(0, found)))
}

/** strings.Replace: an empty `old` matches before every character and at the end. */
function replace(text: string, old: string, by: string, limit: bigint): Result {
  let left = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)
  if (left === 0) return text
  if (old !== '') return text.replaceAll(old, (match) => (left-- > 0 ? by : match))
  const characters = [...text]
  const spread = characters.map((char) => (left-- > 0 ? by + char : char)).join('')
  return left > 0 ? spread + by : spread
}

/** strings.SplitN: at most `limit` parts, the last holding the rest; all where negative. */
function split(text: string, separator: string, limit: bigint): Result {
  if (limit === 0n) return new ArrayList([])
  const parts = separator === '' ? [...text] : text.split(separator)
  const count = limit < 0n ? parts.length : Math.min(parts.length, Number(limit))
  if (count === parts.length) return new ArrayList(parts)
  return new ArrayList([...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)])
}

function substring(text: string, start: bigint, end: bigint | undefined): Result {
  const characters = [...text]
  const length = BigInt(characters.length)
  if (end !== undefined && start > end) {
    return new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  }
  if (start < 0n || start > length) return outOfRange(start)
  if (end !== undefined && (end < 0n || end > length)) return outOfRange(end)
  return characters.slice(Number(start), end === undefined ? undefined : Number(end)).join('')
}

const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (char) => char.toLowerCase())
const upperAscii = (text: string): string => text.replace(/[a-z]/g, (char) => char.toUpperCase())

/** What Go's unicode.IsSpace counts as space. */
const SPACE = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const EDGES = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g')

export function trimSpace(text: string): string {
  return text.replace(EDGES, '')
}

const QUOTES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

const quote = (text: string): string => `"${[...text].map((char) => QUOTES[char] ?? char).join('')}"`

function join(list: CelList, separator: string): Result {
  const parts: string[] = []
  for (let i = 0; i < list.size; i++) {
    const item = list.at(i)
    if (typeof item !== 'string')
      return new CelError(`join: invalid input: ${item instanceof CelError ? item.message : String(item)}`)
    parts.push(item)
  }
  return parts.join(separator)
}

const TEXTS = listOf(STRING)
type Args = readonly Value[]
const text = (args: Args, i: number): string => args[i] as string
const number = (args: Args, i: number): bigint => args[i] as bigint

export const STRINGS: Readonly<Record<string, readonly Overload[]>> = {
  charAt: [member('string_char_at_int', [STRING, INT], STRING, (args) => charAt(text(args, 0), number(args, 1)))],
  indexOf: [
    member('string_index_of_string', [STRING, STRING], INT, (args) => indexOf(text(args, 0), text(args, 1), 0n)),
    member('string_index_of_string_int', [STRING, STRING, INT], INT, (args) =>
      indexOf(text(args, 0), text(args, 1), number(args, 2)),
    ),
  ],
  lastIndexOf: [
    member('string_last_index_of_string', [STRING, STRING], INT, (args) =>
      lastIndexOf(text(args, 0), text(args, 1), undefined),
    ),
    member('string_last_index_of_string_int', [STRING, STRING, INT], INT, (args) =>
      lastIndexOf(text(args, 0), text(args, 1), number(args, 2)),
    ),
  ],
  lowerAscii: [member('string_lower_ascii', [STRING], STRING, (args) => lowerAscii(text(args, 0)))],
  upperAscii: [member('string_upper_ascii', [STRING], STRING, (args) => upperAscii(text(args, 0)))],
  replace: [
    member('string_replace_string_string', [STRING, STRING, STRING], STRING, (args) =>
      replace(text(args, 0), text(args, 1), text(args, 2), -1n),
    ),
    member('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, (args) =>
      replace(text(args, 0), text(args, 1), text(args, 2), number(args, 3)),
    ),
  ],
  split: [
    member('string_split_string', [STRING, STRING], TEXTS, (args) => split(text(args, 0), text(args, 1), -1n)),
    member('string_split_string_int', [STRING, STRING, INT], TEXTS, (args) =>
      split(text(args, 0), text(args, 1), number(args, 2)),
    ),
  ],
  substring: [
    member('string_substring_int', [STRING, INT], STRING, (args) =>
      substring(text(args, 0), number(args, 1), undefined),
    ),
    member('string_substring_int_int', [STRING, INT, INT], STRING, (args) =>
      substring(text(args, 0), number(args, 1), number(args, 2)),
    ),
  ],
  trim: [member('string_trim', [STRING], STRING, (args) => trimSpace(text(args, 0)))],
  format: [
    member('string_format', [STRING, listOf(DYN)], STRING, (args) => formatText(text(args, 0), args[1] as CelList)),
  ],
  'strings.quote': [overload('strings_quote', [STRING], STRING, (args) => quote(text(args, 0)))],
  join: [
    member('list_join', [TEXTS], STRING, (args) => join(args[0] as CelList, '')),
    member('list_join_string', [TEXTS, STRING], STRING, (args) => join(args[0] as CelList, text(args, 1))),
  ],
}
