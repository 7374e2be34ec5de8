import { byteLength } from '../names.ts'
import type { DefinitionVersion } from './types.ts'

const WARNING_LIMIT = 256
const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u

/** What is wrong with a version's warning of deprecation. */
export function deprecationProblems({ deprecated, deprecationWarning }: DefinitionVersion): string[] {
  if (deprecationWarning === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const problems: string[] = []
  if (byteLength(deprecationWarning) > WARNING_LIMIT) problems.push(`must be <= ${WARNING_LIMIT} characters long`)
  if (deprecationWarning === '') problems.push('must not be an empty string')
  let at = 0
  for (const char of deprecationWarning) {
    if (!PRINTABLE.test(char)) {
      const found = `non-printable character found at index ${at}`
      return [...problems, `must only contain printable UTF-8 characters; ${found}`]
    }
    at += byteLength(char)
  }
  return problems
}
