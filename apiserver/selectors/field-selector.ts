import { SelectorError } from './label-selector.ts'

export interface FieldTerm {
  readonly field: string
  readonly equals: boolean
  readonly value: string
}

/** A parsed field selector; its terms all hold of a match. `source` is its canonical text. */
export interface FieldSelector {
  readonly source: string
  readonly terms: readonly FieldTerm[]
}

const anyField: FieldSelector = { source: '', terms: [] }

/** Parses `a=b,c!=d,e==f`; `\\`, `\,` and `\=` are escapes in values. Throws {@link SelectorError}. */
export function parseFieldSelector(text: string): FieldSelector {
  const terms: FieldTerm[] = []
  for (const part of splitTerms(text)) {
    if (part === '') continue
    terms.push(term(part, text))
  }
  if (terms.length === 0) return anyField
  const source = terms
    .map((t) => `${t.field}${t.equals ? '=' : '!='}${t.value.replace(/[\\,=]/g, '\\$&')}`)
    .sort()
    .join(',')
  return { source, terms }
}

/** The value that the selector pins a field to, if it does. */
export function requiredValue(selector: FieldSelector, field: string): string | undefined {
  return selector.terms.find((t) => t.equals && t.field === field)?.value
}

/** Whether an object's selectable fields satisfy the selector; a field that is not there counts as ''. */
export function fieldsMatch(selector: FieldSelector, read: (field: string) => string): boolean {
  return selector.terms.every((t) => (read(t.field) === t.value) === t.equals)
}

function splitTerms(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === ',') {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function term(part: string, whole: string): FieldTerm {
  for (let i = 0; i < part.length; i++) {
    for (const op of ['!=', '==', '=']) {
      if (!part.startsWith(op, i)) continue
      const value = unescaped(part.slice(i + op.length))
      return { field: part.slice(0, i), equals: op !== '!=', value }
    }
  }
  throw new SelectorError(`invalid selector: '${whole}'; can't understand '${part}'`)
}

function unescaped(value: string): string {
  return value.replace(/\\(.)?|[,=]/gs, (match, char: string | undefined) => {
    if (char === '\\' || char === ',' || char === '=') return char
    if (match.startsWith('\\')) throw new SelectorError(`invalid field selector: invalid escape sequence: ${match}`)
    throw new SelectorError(`invalid field selector: unescaped character in value: ${match}`)
  })
}
