import type { JsonValue } from '../../crds/metadata.ts'
import { readCarefully } from './careful/careful-yaml.ts'
import { type Located, locate } from './locate.ts'
import { located } from './plain/located.ts'
import { readPlainYaml } from './plain/plain-yaml.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { SourceText } from './source-text.ts'
import type { Span } from './span.ts'
import type { Chunk } from './split.ts'

/** One YAML or JSON document, read as YAML 1.2 core, with the way back from a value to its place in the file. */
export interface ManifestDocument {
  readonly source: SourceText
  readonly value: JsonValue
  /** Where its value starts. */
  readonly start: number
  /** Texts without quotes that kubectl reads as something else. */
  readonly ambiguous: readonly Span[]
  /** Where a field is. `key`: its name rather than its value. A path that leads nowhere gives the nearest part that is there. */
  locate(path: readonly (string | number)[], part: 'key' | 'value'): Span
}

/** The largest document, in UTF-16 units, that is read with care; that takes a second for each million. Plain YAML may be of any size. */
export const MAX_CAREFUL = 4 * 1024 * 1024
/** Of documents beyond this size it is kept where everything is, once that was asked; of smaller ones it is found out again. */
const KEPT_SIZE = 64 * 1024

/**
 * Parses one document of a file. Returns it, or everything wrong with it. What is written as manifests usually are is read at once; anything else,
 * and everything wrong, is left to the careful reader.
 */
export function parseManifestDocument(source: SourceText, chunk: Chunk): ManifestDocument | Problem[] {
  const { text } = source
  const { start, end } = chunk
  const plain = readPlainYaml(text, start, end)
  if (plain.ok) {
    const trace = () => {
      const traced = readPlainYaml(text, start, end, true)
      if (!traced.ok || !traced.node) throw new Error('plain YAML was read once, but not again')
      return located(traced.node)
    }
    return document(source, plain, 0, end - start > KEPT_SIZE ? kept(trace) : trace)
  }
  if (end - start > MAX_CAREFUL) {
    const message = `this document is too large (${sayMiB(end - start)}) for the YAML that it uses here, or for finding out what is wrong with it: beyond ${sayMiB(MAX_CAREFUL)} only plain YAML and JSON are read. Cut it into several documents`
    return [problem(source, 'syntax', { start: plain.stoppedAt, end: plain.stoppedAt + 1 }, message)]
  }
  const read = readCarefully(text.slice(start, end))
  if ('errors' in read) {
    return read.errors.map(({ code, span, message }) => problem(source, code, shifted(span, start), message))
  }
  return document(source, { ...read, start: read.root.span.start }, start, () => read.root)
}

/** `offset`: what its places count from. */
function document(
  source: SourceText,
  read: { readonly value: JsonValue; readonly start: number; readonly ambiguous: readonly Span[] },
  offset: number,
  root: () => Located,
): ManifestDocument {
  return {
    source,
    value: read.value,
    start: read.start + offset,
    ambiguous: offset === 0 ? read.ambiguous : read.ambiguous.map((span) => shifted(span, offset)),
    locate: (path, part) => shifted(locate(root(), path, part), offset),
  }
}

function problem(source: SourceText, code: ProblemCode, span: Span, message: string): Problem {
  return { code, file: source.name, message, at: { source, ...span } }
}

const shifted = (span: Span, by: number): Span => ({ start: span.start + by, end: span.end + by })

const sayMiB = (units: number) => `${(units / 1024 / 1024).toFixed(1).replace(/\.0$/, '')} MiB`

function kept<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
