import type { Problem } from '../../manifests/problem.ts'
import { codePoints } from '../../manifests/source-text.ts'

const MAX_TEXT = 1000

/** Where a problem is, on the line it starts on. Lines and columns count from 1, columns in characters; the end column is behind the last. */
export interface Region {
  readonly line: number
  readonly column: number
  readonly endColumn: number
  /** The line itself, as far as it is of a length to be read. */
  readonly text: string
}

/** Undefined of problems of whole files. */
export function regionOf({ at }: Problem<string>): Region | undefined {
  if (!at) return undefined
  const { source, start, end } = at
  const { line, column } = source.placeAt(start)
  const span = source.lineSpan(line)
  const length = codePoints(source.text, start, Math.min(end, span.end))
  const text = source.text.slice(span.start, Math.min(span.end, span.start + MAX_TEXT))
  return { line, column, endColumn: column + Math.max(1, length), text }
}

/** `Site fleet/fra1`. */
export function objectText({ object }: Problem<string>): string | undefined {
  return object && `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
}

/** The message with the field that it speaks of. */
export function sentence({ field, message }: Problem<string>): string {
  return field ? `${field}: ${message}` : message
}

/** Whether a problem's file is one that there is: not stdin, a URL, or what kustomize made. */
export function isOnDisk(file: string): boolean {
  return !/^(?:<|https?:)/.test(file)
}
