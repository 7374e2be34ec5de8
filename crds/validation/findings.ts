import type { JsonValue } from '../metadata.ts'
import { invalid, notSupported, required, tooLong, tooMany, typeInvalid } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { fieldString, openapiString, type Path, stepsOf } from './field-path.ts'
import { goJson, goQuote } from './go-format.ts'

/**
 * What a schema has against a value, before it is written out: most findings of `anyOf` branches are thrown away again, so
 * sentences are made only of those that remain. The sentences are kube-openapi's.
 */
export type Finding = { readonly path: Path | undefined } & (
  | { readonly is: 'type'; readonly expected: string; readonly actual: string }
  | { readonly is: 'required' }
  | { readonly is: 'enum'; readonly value: JsonValue; readonly allowed: readonly JsonValue[] }
  | { readonly is: 'tooLong'; readonly limit: number }
  | { readonly is: 'tooManyItems' | 'tooManyProperties'; readonly actual: number; readonly limit: number }
  | { readonly is: 'value'; readonly value: JsonValue; readonly rule: string }
  | { readonly is: 'forbiddenProperty'; readonly name: string }
  /** A factor that nothing is a multiple of. */
  | { readonly is: 'factor'; readonly value: number; readonly shown: string }
  /** A sentence about the whole that kube-openapi gives no field. */
  | { readonly is: 'whole'; readonly sentence: (name: string) => string }
)

/** Writes findings out, each sentence once. `base`: the field the checked value itself is at, where it is not a whole object. */
export function fieldErrors(findings: readonly Finding[], base?: Path): FieldError[] {
  const seen = new Set<string>()
  const errors: FieldError[] = []
  for (const finding of findings) {
    const name = openapiString(finding.path)
    const sentence = sentenceOf(finding, name)
    if (seen.has(sentence)) continue
    seen.add(sentence)
    errors.push(place(errorOf(finding, sentence), finding, name, base))
  }
  return errors
}

/** kube-openapi names fields by text, so `field` is that text, whatever the steps were; only `base` is a path of Kubernetes. */
function place(error: FieldError, finding: Finding, name: string, base: Path | undefined): FieldError {
  const above = base ? fieldString(base) : ''
  const own = finding.is === 'whole' ? '' : name.replace(/^\./, '')
  const field = above && own ? `${above}.${own}` : above || own || '<nil>'
  return { ...error, field, path: [...stepsOf(base), ...stepsOf(finding.path)] }
}

function sentenceOf(finding: Finding, name: string): string {
  switch (finding.is) {
    case 'type':
      return `${name} in body must be of type ${finding.expected}: ${goQuote(finding.actual)}`
    case 'required':
      return `${name} in body is required`
    case 'enum':
      return `${name} in body should be one of [${finding.allowed.map(goJson).join(' ')}]`
    case 'tooLong':
      return `${name} in body should be at most ${finding.limit} chars long`
    case 'tooManyItems':
      return `${name} in body should have at most ${finding.limit} items`
    case 'tooManyProperties':
      return `${name} in body should have at most ${finding.limit} properties`
    case 'forbiddenProperty':
      return `${name}.${finding.name} in body is a forbidden property`
    case 'factor':
      return `factor MultipleOf declared for ${name} must be positive: ${finding.shown}`
    case 'value':
      return `${name} in body ${finding.rule}`
    case 'whole':
      return finding.sentence(name)
  }
}

function errorOf(finding: Finding, sentence: string): FieldError {
  switch (finding.is) {
    case 'type':
      return typeInvalid(finding.path, finding.actual, sentence)
    case 'required':
      return required(finding.path, '')
    case 'enum':
      return notSupported(
        finding.path,
        finding.value,
        finding.allowed.map((value) => (typeof value === 'string' ? value : goJson(value))),
      )
    case 'tooLong':
      return tooLong(finding.path, finding.limit)
    case 'tooManyItems':
    case 'tooManyProperties':
      return tooMany(finding.path, finding.actual, finding.limit)
    case 'forbiddenProperty':
      return invalid(finding.path, finding.name, sentence)
    case 'factor':
    case 'value':
      return invalid(finding.path, finding.value, sentence)
    case 'whole':
      return invalid(undefined, '', sentence)
  }
}
