import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { duplicateFields } from './duplicate-fields.ts'

/** A parsed request body, and the fields it gives twice (`duplicate field "spec.x"`). */
export interface ParsedBody {
  readonly value: JsonValue
  readonly duplicates: readonly string[]
}

/** Thrown where the bytes are not what their Content-Type says. */
export class BodyError extends Error {}

/** Parses JSON; looks for duplicate fields only if `strict`. */
export function parseJson(body: Buffer, strict: boolean): ParsedBody {
  const text = body.toString('utf8')
  if (text.trim() === '') throw new BodyError('unexpected end of JSON input')
  try {
    const value = JSON.parse(text) as JsonValue
    return { value, duplicates: strict ? duplicateFields(text, value) : [] }
  } catch (err) {
    throw new BodyError((err as Error).message)
  }
}

/** Parses one YAML (or JSON) document. Loaded on first use: most requests are JSON. */
export async function parseYaml(body: Buffer): Promise<ParsedBody> {
  const text = body.toString('utf8')
  if (text.trimStart().startsWith('{')) {
    try {
      return parseJson(body, true)
    } catch {
      // Flow-style YAML may start the same way.
    }
  }
  const { parseDocument } = await import('../../runtime/yaml.ts')
  const document = parseDocument(text, { uniqueKeys: false, version: '1.1', merge: true })
  const [problem] = document.errors
  if (problem) throw new BodyError(`yaml: ${problem.message.split('\n')[0]}`)
  const value = document.toJS({ maxAliasCount: 100 }) as JsonValue
  const duplicates = parseDocument(text, { version: '1.1' })
    .errors.filter((e) => e.code === 'DUPLICATE_KEY')
    .map((e) => `line ${e.linePos?.[0].line ?? 0}: key already set in map`)
  return { value: value ?? {}, duplicates }
}

export function asJsonObject(value: JsonValue): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}
