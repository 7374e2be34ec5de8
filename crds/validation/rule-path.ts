import { child, key, type Path } from './field-path.ts'
import { additionalSchema, type JsonSchema, property } from './json-schema.ts'

/** Where a `fieldPath` or the path of a selectable field leads, or why it leads nowhere. */
export type RulePath =
  | { readonly ok: true; readonly path: Path | undefined; readonly schema: JsonSchema }
  | { readonly ok: false; readonly error: string }

class BadPath extends Error {}

/**
 * Follows a path of fields and map keys (`.spec.names['a.b']`) down a schema. Array indexes and filters are not allowed;
 * `brackets` false forbids `['…']` too.
 */
export function followRulePath(text: string, schema: JsonSchema, brackets = true): RulePath {
  try {
    return follow(text, schema, brackets)
  } catch (error) {
    if (!(error instanceof BadPath)) throw error
    return { ok: false, error: error.message }
  }
}

function follow(text: string, root: JsonSchema, brackets: boolean): RulePath {
  const tokens = tokenize(text)
  let at = 0
  const next = (): string => {
    const token = tokens[at++]
    if (token === undefined) throw new BadPath('unexpected end of JSON path')
    return token
  }
  let path: Path | undefined
  let schema = root
  const step = (name: string): void => {
    if (schema.properties) {
      const below = property(schema, name)
      if (!below) throw new BadPath('does not refer to a valid field')
      path = child(path, name)
      schema = below
    } else {
      if (schema.additionalProperties === undefined) throw new BadPath('does not refer to a valid field')
      const below = additionalSchema(schema) ?? {}
      path = key(path, name)
      schema = below
    }
  }
  while (at < tokens.length) {
    const token = next()
    if (token === '.') step(next())
    else if (token === '[') {
      if (!brackets) throw new BadPath('array notation is not allowed')
      const quoted = next()
      if (!/^'.*'$/s.test(quoted) || quoted.length < 2) {
        throw new BadPath(`expected single quoted string but got ${quoted}`)
      }
      step(unescapeQuoted(quoted.slice(1, -1)))
      const closing = next()
      if (closing !== ']') throw new BadPath(`expected ] but got ${closing}`)
    } else throw new BadPath(`expected [ or . but got: ${token}`)
  }
  return { ok: true, path, schema }
}

/** Dots, brackets, quoted texts, and what is between them. */
function tokenize(text: string): string[] {
  return text.match(/'(?:[^'\\]|\\.)*'|'[\s\S]*$|[.[\]]|[^.[\]]+/g) ?? []
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
}

function unescapeQuoted(text: string): string {
  return text.replace(/\\(.)/gs, (whole, char: string) => {
    const plain = ESCAPES[char]
    if (plain === undefined) throw new BadPath(`invalid string literal: invalid escape char ${whole}`)
    return plain
  })
}
