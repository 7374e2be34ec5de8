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
  return problems.map((problem) => masks.apply(problem))
}

/** A message without the values of the Secrets among the manifests. */
export function maskText(text: string, manifests: readonly Manifest[]): string {
  return new Masks(manifests.filter(({ object }) => isSecret(object))).text(text)
}

class Masks {
  readonly #values: readonly string[]
  readonly #spans = new Map<SourceText, [number, number][]>()
  readonly #masked = new Map<SourceText, SourceText>()

  constructor(secrets: readonly Manifest[]) {
    const values = new Set<string>()
    for (const secret of secrets) {
      for (const path of secretPaths(secret)) {
        const { at } = secret.problem('invalid', path, 'value', '')
        if (at) this.#spans.set(at.source, [...(this.#spans.get(at.source) ?? []), [at.start, at.end]])
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

  apply<Code extends string>(problem: Problem<Code>): Problem<Code> {
    const message = this.text(problem.message)
    if (!problem.at) return { ...problem, message }
    return { ...problem, message, at: { ...problem.at, source: this.#source(problem.at.source, problem.at.start) } }
  }

  #source(source: SourceText, start: number): SourceText {
    const spans = this.#spans.get(source) ?? []
    const unread = unreadSecret(source, start, spans)
    if (unread) return starred(source, [...spans, unread])
    if (spans.length === 0) return source
    let masked = this.#masked.get(source)
    if (!masked) {
      masked = starred(source, spans)
      this.#masked.set(source, masked)
    }
    return masked
  }
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

/** The values of the problem's line, where its document is a Secret that could not be read. */
function unreadSecret(
  { text }: SourceText,
  start: number,
  read: readonly (readonly [number, number])[],
): [number, number] | undefined {
  const from = Math.max(0, text.lastIndexOf('\n---', start))
  const next = text.indexOf('\n---', Math.max(start, from + 1))
  const to = next < 0 ? text.length : next
  if (read.some(([at]) => at >= from && at < to)) return undefined
  if (!/\bkind["']?[ \t]*:[ \t]*["']?Secret\b/.test(text.slice(from, to))) return undefined
  const line = text.lastIndexOf('\n', start - 1) + 1
  const end = text.indexOf('\n', start)
  const colon = text.indexOf(':', line)
  const lineEnd = end < 0 ? text.length : end
  return [colon >= 0 && colon < lineEnd ? colon + 1 : line, lineEnd]
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
