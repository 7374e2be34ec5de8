import type { JsonObject, JsonValue } from '../../crds/metadata.ts'

/**
 * What a writer of a field wants to know besides its description, as short sentences: whether it must be there, allowed values, bounds,
 * rules, the default, an example. `beside` is the value that stands below them, which need not be said again.
 */
export function factsOf(schema: JsonObject, required: boolean, beside: JsonValue | undefined): string[] {
  const facts: string[] = []
  if (required) facts.push('Required.')
  const values = schema.enum ?? (schema.items as JsonObject | undefined)?.enum
  if (Array.isArray(values)) facts.push(`${schema.enum ? 'One of' : 'Any of'}: ${values.join(', ')}.`)
  facts.push(...bounds(schema))
  for (const rule of [...rulesOf(schema), ...rulesOf(schema.items as JsonObject | undefined)])
    facts.push(asSentence(rule))
  const { default: fallback, example } = schema
  // What an empty list or map means is in the description.
  if (fallback !== undefined && !isEmpty(fallback)) facts.push(`Default: ${shown(fallback)}.`)
  const said = example === beside || example === fallback
  if (example !== undefined && !said && (typeof example !== 'object' || example === null))
    facts.push(`Example: ${shown(example)}.`)
  return facts
}

function* bounds({
  minimum,
  maximum,
  exclusiveMinimum,
  maxItems,
  minLength,
  maxLength,
}: JsonObject): Generator<string> {
  if (minimum !== undefined && exclusiveMinimum === true) {
    yield `More than ${minimum}${maximum === undefined ? '' : `, at most ${maximum}`}.`
  } else if (minimum !== undefined && maximum !== undefined) yield `${minimum} to ${maximum}.`
  else if (minimum !== undefined) yield `At least ${minimum}.`
  else if (maximum !== undefined) yield `At most ${maximum}.`
  if (maxItems !== undefined) yield `At most ${maxItems} entries.`
  // Limits of a size that nobody meets by hand say nothing.
  if (typeof maxLength === 'number' && maxLength <= 128)
    yield `${Number(minLength ?? 0) > 0 ? `${minLength} to` : 'At most'} ${maxLength} characters.`
}

function rulesOf(schema: JsonObject | undefined): string[] {
  const rules = (schema?.['x-kubernetes-validations'] ?? []) as readonly { readonly message?: string }[]
  // One that only names the mistake says nothing to who has not made it.
  return rules.flatMap(({ message }) => (message && !/ twice$/.test(message) ? [message] : []))
}

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0
const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const asSentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`
