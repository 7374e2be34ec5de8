import { fieldString, stepsOf } from '../validation/field-path.ts'
import type { JsonSchema, ValidationRule } from '../validation/json-schema.ts'
import { followRulePath } from '../validation/rule-path.ts'
import { type DeclType, declType, maxCardinality, structsOf } from './check/decl-type.ts'
import { compile, type Environment, type Program } from './program.ts'
import { type CelType, optionalOf } from './types/type.ts'

/** One rule of `x-kubernetes-validations`, compiled against the schema it stands in. */
export interface CompiledRule {
  readonly rule: ValidationRule
  /** Absent where the rule is empty or did not compile. */
  readonly program: Program | undefined
  /** Why the rule did not compile. */
  readonly error: string | undefined
  /** Whether it speaks of `oldSelf`. */
  readonly transition: boolean
  /** The most one run can cost, in CEL's units. */
  readonly maxCost: number
  /** The most often it could run in one request, were it within an unbounded list or map. */
  readonly maxCardinality: number
  readonly message: Program | undefined
  readonly messageError: string | undefined
  readonly messageMaxCost: number
  /** Where failures are told, relative to the rule's place, as text and as steps. */
  readonly fieldPath: { readonly text: string; readonly steps: readonly (string | number)[] } | undefined
}

/**
 * Compiles the rules of one place of a schema, not those below. `root`: the schema is of a whole object. Rules whose schema
 * expressions cannot see are not compiled; none are returned.
 */
export function compileRulesAt(rules: readonly ValidationRule[], schema: JsonSchema, root: boolean): CompiledRule[] {
  const decl = declType(schema, root)
  if (!decl) return []
  const structs = structsOf(decl)
  const environment = (old: CelType): Environment => ({
    variables: new Map([
      ['self', decl.type],
      ['oldSelf', old],
    ]),
    structs,
  })
  const required = environment(decl.type)
  const optional = environment(optionalOf(decl.type))
  return rules.map((rule) => compileRule(rule, schema, decl, rule.optionalOldSelf ? optional : required))
}

function compileRule(rule: ValidationRule, schema: JsonSchema, decl: DeclType, environment: Environment): CompiledRule {
  const made = blank(rule, decl)
  if ((rule.rule ?? '').trim() === '') return made
  const main = make(rule.rule ?? '', environment, decl, 'bool', RULE_WORDS)
  if (!main.ok) return { ...made, error: main.error }
  const message = rule.messageExpression
    ? make(rule.messageExpression, environment, decl, 'string', MESSAGE_WORDS)
    : undefined
  const target = rule.fieldPath ? followRulePath(rule.fieldPath, schema) : undefined
  return {
    ...made,
    program: main.program,
    transition: main.transition,
    maxCost: main.maxCost,
    ...(message?.ok ? { message: message.program, messageMaxCost: message.maxCost } : {}),
    messageError: message && !message.ok ? message.error : undefined,
    fieldPath: target?.ok && target.path ? { text: fieldString(target.path), steps: stepsOf(target.path) } : undefined,
  }
}

function blank(rule: ValidationRule, decl: DeclType): CompiledRule {
  return {
    rule,
    program: undefined,
    error: undefined,
    transition: false,
    maxCost: 0,
    maxCardinality: maxCardinality(decl.minSize),
    message: undefined,
    messageError: undefined,
    messageMaxCost: 0,
    fieldPath: undefined,
  }
}

const RULE_WORDS = {
  failed: 'compilation failed: ',
  type: 'cel expression must evaluate to a bool',
  program: 'program instantiation failed: ',
}

const MESSAGE_WORDS = {
  failed: 'messageExpression compilation failed: ',
  type: 'messageExpression must evaluate to a string',
  program: 'messageExpression instantiation failed: ',
}

type Made =
  | { readonly ok: true; readonly program: Program; readonly transition: boolean; readonly maxCost: number }
  | { readonly ok: false; readonly error: string }

function make(
  source: string,
  environment: Environment,
  decl: DeclType,
  type: 'bool' | 'string',
  words: typeof RULE_WORDS,
): Made {
  const compilation = compile(source, environment)
  if (!compilation.ok) return { ok: false, error: `${words.failed}${compilation.error}` }
  const { compiled } = compilation
  if (compiled.type.kind !== type) return { ok: false, error: words.type }
  const program = compiled.program()
  if (!program.ok) return { ok: false, error: `${words.program}${program.error}` }
  const transition = compiled.uses('oldSelf')
  return { ok: true, program: program.program, transition, maxCost: compiled.maxCost(decl) }
}
