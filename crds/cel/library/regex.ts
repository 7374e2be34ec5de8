import { compileRe2 } from '../../validation/re2.ts'
import { member, type Overload } from '../types/declarations.ts'
import { INT, listOf, STRING } from '../types/type.ts'
import { ArrayList, CelError, type Result } from '../values/value.ts'

/** At most `limit` matches, all where negative. */
function findAll(text: string, pattern: string, limit: bigint): Result {
  const compiled = compileRe2(pattern)
  if (!compiled.ok) return new CelError(`Illegal regex: ${compiled.error}`)
  if (limit === 0n) return new ArrayList([])
  const found: string[] = []
  for (const match of text.matchAll(new RegExp(compiled.regexp.source, 'gu'))) {
    found.push(match[0])
    if (limit > 0n && BigInt(found.length) >= limit) break
  }
  return new ArrayList(found)
}

function find(text: string, pattern: string): Result {
  const compiled = compileRe2(pattern)
  if (!compiled.ok) return new CelError(`Illegal regex: ${compiled.error}`)
  return compiled.regexp.exec(text)?.[0] ?? ''
}

/** Kubernetes' regex functions. */
export const REGEX: Readonly<Record<string, readonly Overload[]>> = {
  find: [
    member('string_find_string', [STRING, STRING], STRING, ([text, pattern]) =>
      find(text as string, pattern as string),
    ),
  ],
  findAll: [
    member('string_find_all_string', [STRING, STRING], listOf(STRING), ([text, pattern]) =>
      findAll(text as string, pattern as string, -1n),
    ),
    member('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), ([text, pattern, limit]) =>
      findAll(text as string, pattern as string, limit as bigint),
    ),
  ],
}
