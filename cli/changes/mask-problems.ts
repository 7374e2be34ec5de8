import { isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonValue } from '../../crds/metadata.ts'
import type { Manifest } from '../manifests/manifest.ts'
import type { Problem } from '../manifests/problem.ts'
import { SourceText } from '../manifests/source-text.ts'
import { isSecret, LAST_APPLIED } from './mask.ts'

/** Fields of a Secret that hold what is secret. */
const FIELDS = ['data', 'stringData']
/** Shorter values are found in too many other words. */
const SHORTEST = 3

/**
 * Problems as they may be printed: messages without the values of the Secrets among the manifests, and lines of their files with those
 * starred out. Documents that could not be read and say that they are Secrets have what follows a colon starred out.
 */
export function maskProblems<Code extends string>(
  problems: readonly Problem<Code>[],
  manifests: readonly Manifest[],
): Problem<Code>[] {
  if (problems.length === 0) return []
  const masks = new Masks(manifests.filter(({ object }) => isSecret(object)))
  const sources = masks.sources(problems)
  return problems.map((problem) => {
    const { at } = problem
    const message = masks.text(problem.message)
    return at ? { ...problem, message, at: { ...at, source: sources.get(at.source)! } } : { ...problem, message }
  })
}

/** A message without the values of the Secrets among the manifests. */
export function maskText(text: string, manifests: readonly Manifest[]): string {
  return new Masks(manifests.filter(({ object }) => isSecret(object))).text(text)
}

class Masks {
  readonly #values: readonly string[]
  readonly #spans = new Map<SourceText, [number, number][]>()

  constructor(secrets: readonly Manifest[]) {
    const values = new Set<string>()
    for (const secret of secrets) {
      for (const path of secretPaths(secret)) {
        const { at } = secret.problem('invalid', path, 'value', '')
        if (at) pushTo(this.#spans, at.source, [at.start, at.end])
        const value = valueAt(secret, path)
        for (const one of path[0] === 'metadata' ? keptValues(value) : [value])
          for (const text of spellings(one)) values.add(text)
      }
    }
    // A value may be part of another.
    this.#values = [...values].filter((text) => text.length >= SHORTEST).sort((a, b) => b.length - a.length)
  }

  text(message: string): string {
    return this.#values.reduce((text, value) => text.replaceAll(value, '***'), message)
  }

  /** The files of problems as lines of them may be shown. All problems of a file at once: there may be thousands, and it may be large. */
  sources(problems: readonly Problem<string>[]): ReadonlyMap<SourceText, SourceText> {
    const starts = new Map<SourceText, number[]>()
    for (const { at } of problems) if (at) pushTo(starts, at.source, at.start)
    return new Map(
      [...starts].map(([source, offsets]) => {
        const spans = this.#spans.get(source) ?? []
        const unread = unreadSecretLines(source, offsets, spans)
        return [source, spans.length + unread.length === 0 ? source : starred(source, [...spans, ...unread])]
      }),
    )
  }
}

function pushTo<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}

function secretPaths({ object }: Manifest): string[][] {
  const paths = FIELDS.flatMap((field) => {
    const map = object[field] as JsonValue | undefined
    if (!isMap(map)) return map === undefined ? [] : [[field]]
    return Object.keys(map).map((key) => [field, key])
  })
  const annotations = object.metadata.annotations as JsonValue | undefined
  const kept = isMap(annotations) && annotations[LAST_APPLIED] !== undefined
  return kept ? [...paths, ['metadata', 'annotations', LAST_APPLIED]] : paths
}

function valueAt({ object }: Manifest, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object
  for (const step of path) value = isMap(value) ? value[step] : undefined
  return value
}

/** The values in kubectl's copy of the Secret, and the copy. */
function keptValues(copy: JsonValue | undefined): (JsonValue | undefined)[] {
  try {
    const object = JSON.parse(String(copy)) as JsonValue
    const maps = FIELDS.map((field) => (isMap(object) ? object[field] : undefined))
    return [copy, ...maps.flatMap((map) => (isMap(map) ? Object.values(map) : []))]
  } catch {
    return [copy]
  }
}

/** A value as it is written, as base64, and as what it is base64 of. */
function spellings(value: JsonValue | undefined): string[] {
  if (value === undefined || value === null) return []
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const decoded = Buffer.from(text, 'base64')
  const isBase64 = typeof value === 'string' && decoded.toString('base64') === text
  return [text, Buffer.from(text).toString('base64'), ...(isBase64 ? [decoded.toString('utf8')] : [])]
}

/** The values on the lines of these offsets, where their documents are Secrets that could not be read. */
function unreadSecretLines(
  { text }: SourceText,
  offsets: readonly number[],
  read: readonly (readonly [number, number])[],
): [number, number][] {
  const documents = documentStarts(text)
  const withRead = new Set(read.map(([start]) => documentAt(documents, start)))
  const known = new Map<number, boolean>()
  return offsets.flatMap((offset) => {
    const document = documentAt(documents, offset)
    let isUnread = known.get(document)
    if (isUnread === undefined) {
      isUnread = !withRead.has(document) && SAYS_SECRET.test(text.slice(documents[document], documents[document + 1]))
      known.set(document, isUnread)
    }
    return isUnread ? [valueOnLine(text, offset)] : []
  })
}

const SAYS_SECRET = /\bkind["']?[ \t]*:[ \t]*["']?Secret\b/

/** Where documents begin, as markers part them. */
function documentStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n---'); at >= 0; at = text.indexOf('\n---', at + 1)) starts.push(at)
  return starts
}

/** Which document an offset is in. */
function documentAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}

function valueOnLine(text: string, offset: number): [number, number] {
  const line = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', offset)
  const lineEnd = end < 0 ? text.length : end
  const colon = text.slice(line, lineEnd).indexOf(':')
  return [colon >= 0 ? line + colon + 1 : line, lineEnd]
}

/** The same text with stars for letters in these places: every offset stays what it was. */
function starred({ name, text }: SourceText, spans: readonly (readonly [number, number])[]): SourceText {
  const parts: string[] = []
  let done = 0
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    if (end <= done) continue
    const from = Math.max(start, done)
    parts.push(text.slice(done, from), text.slice(from, end).replace(/[^\s]/g, '*'))
    done = end
  }
  return new SourceText(name, parts.join('') + text.slice(done))
}
