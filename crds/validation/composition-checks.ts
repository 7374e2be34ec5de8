import type { JsonValue } from '../metadata.ts'
import type { Path } from './field-path.ts'
import type { Finding } from './findings.ts'
import { goQuote } from './go-format.ts'
import type { JsonSchema } from './json-schema.ts'

type Check = (value: JsonValue, path: Path | undefined, out: Finding[]) => number

/** What one branch of a composition found. */
interface Branch {
  readonly findings: readonly Finding[]
  readonly matched: number
}

/** anyOf, oneOf, allOf and not, with kube-openapi's choice of whose errors to show: the failed branch that matched most. */
export function compositionCheck(schema: JsonSchema, compile: (schema: JsonSchema) => Check): Check {
  const anyOf = (schema.anyOf ?? []).map(compile)
  const oneOf = (schema.oneOf ?? []).map(compile)
  const allOf = (schema.allOf ?? []).map(compile)
  const not = schema.not ? compile(schema.not) : undefined
  if (anyOf.length + oneOf.length + allOf.length === 0 && !not) return () => 0

  return (value, path, out) => {
    // What is below a branch is not told from before the update, as upstream: only this place as a whole is.
    const run = (check: Check): Branch => {
      const findings: Finding[] = []
      return { matched: check(value, path, findings), findings }
    }
    const whole = (sentence: (name: string) => string): void => void out.push({ is: 'whole', path, sentence })
    const take = (branch: Branch | undefined): number => {
      if (!branch) return 0
      out.push(...branch.findings)
      return branch.matched
    }
    let matched = 0
    if (anyOf.length > 0) matched += take(someOf(anyOf, run, whole))
    if (oneOf.length > 0) matched += take(exactlyOneOf(oneOf, run, whole))
    if (allOf.length > 0) {
      let valid = 0
      for (const check of allOf) {
        const branch = run(check)
        if (branch.findings.length === 0) valid++
        matched += take(branch)
      }
      const none = valid === 0 ? '. None validated' : ''
      if (valid !== allOf.length) whole((name) => `${goQuote(name)} must validate all the schemas (allOf)${none}`)
    }
    if (not && run(not).findings.length === 0) {
      whole((name) => `${goQuote(name)} must not validate the schema (not)`)
    }
    return matched
  }
}

type Run = (check: Check) => Branch
type Whole = (sentence: (name: string) => string) => void

/** The first branch that holds, or the failed one to show. */
function someOf(checks: readonly Check[], run: Run, whole: Whole): Branch | undefined {
  let best: Branch | undefined
  for (const check of checks) {
    const branch = run(check)
    if (branch.findings.length === 0) return branch
    if (!best || branch.matched > best.matched) best = branch
  }
  whole((name) => `${goQuote(name)} must validate at least one schema (anyOf)`)
  return best
}

function exactlyOneOf(checks: readonly Check[], run: Run, whole: Whole): Branch | undefined {
  let best: Branch | undefined
  let first: Branch | undefined
  let valid = 0
  for (const check of checks) {
    const branch = run(check)
    if (branch.findings.length === 0) {
      valid++
      first ??= branch
    } else if (valid === 0 && (!best || branch.matched > best.matched)) best = branch
  }
  if (valid === 1) return first
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
  whole((name) => `${goQuote(name)} must validate one and only one schema (oneOf). ${found}`)
  return valid === 0 ? best : undefined
}
