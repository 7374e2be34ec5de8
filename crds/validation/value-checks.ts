import type { JsonObject, JsonValue } from '../metadata.ts'
import { compositionCheck } from './composition-checks.ts'
import type { Correlation } from './correlation.ts'
import { child, index, key, type Path } from './field-path.ts'
import type { Finding } from './findings.ts'
import { type FormatCheck, stringFormat } from './formats/string-formats.ts'
import { isArray, jsonEqual } from './json.ts'
import { additionalSchema, type JsonSchema } from './json-schema.ts'
import { numberCheck } from './number-checks.ts'
import { isInt, isJsonInteger } from './numbers.ts'
import { compileRe2 } from './re2.ts'

/**
 * Checks one value against one place of the schema. Findings go to `out`. Returns kube-openapi's match count, by which
 * `anyOf` and `oneOf` choose the branch whose errors are shown. With a correlation, what did not change is not reported.
 */
export type Check = (value: JsonValue, path: Path | undefined, out: Finding[], correlation?: Correlation) => number

/** Part of a check for one JSON type. */
type Part<T> = (value: T, path: Path | undefined, out: Finding[], correlation: Correlation | undefined) => number

/** Compiles a schema to one closure per place. */
export function compileCheck(schema: JsonSchema): Check {
  const types = typesOf(schema)
  const format = usableFormat(schema)
  const type = typeCheck(types, format, schema.nullable === true)
  const compose = compositionCheck(schema, compileCheck)
  const text = stringCheck(schema, format)
  const number = numberCheck(schema, types)
  const items = listCheck(schema)
  const fields = objectCheck(schema)
  const oneOf = enumCheck(schema)

  return (value, path, out, correlation) => {
    if (value === null) {
      oneOf(value, path, out, correlation)
      return type(value, path, out, correlation)
    }
    // One for the common check, one for the composition and its own, one for the whole.
    let matched = 4 + type(value, path, out, correlation) + (types.length > 0 || format !== '' ? 1 : 0)
    matched += compose(value, path, out)
    if (typeof value === 'string') matched += text(value, path, out, correlation)
    else if (typeof value === 'number') matched += number(value, path, out) + 2
    else if (isArray(value)) matched += items(value, path, out, correlation) + 2
    oneOf(value, path, out, correlation)
    if (typeof value === 'object' && !isArray(value)) matched += fields(value as JsonObject, path, out, correlation) + 1
    return matched
  }
}

/** Runs a check and forgets what it found where the value is as it was before the update. */
export function ratcheted(check: Check): Check {
  return (value, path, out, correlation) => {
    if (!correlation) return check(value, path, out)
    const before = out.length
    const matched = check(value, path, out, correlation)
    if (out.length > before && correlation.unchanged) out.length = before
    return matched
  }
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string']) return ['integer', 'string']
  return schema.type ? [schema.type] : []
}

/** The format where Kubernetes knows it for the type; others are ignored. */
function usableFormat(schema: JsonSchema): string {
  const format = schema.format ?? ''
  const type = schema['x-kubernetes-int-or-string'] ? '' : (schema.type ?? '')
  if (type === '' || type === 'string') return stringFormat(format) ? format : ''
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : ''
  if (type === 'number') return format === 'float' || format === 'double' ? format : ''
  return ''
}

function jsonType(value: JsonValue): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return isInt(value) ? 'integer' : 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'string') return 'string'
  return isArray(value) ? 'array' : 'object'
}

function typeCheck(types: readonly string[], format: string, nullable: boolean): Part<JsonValue> {
  if (types.length === 0 && format === '') return () => 0
  const expected = types.join(',')
  const numeric = types.includes('number') || types.includes('integer')
  return (value, path, out) => {
    const actual = jsonType(value)
    if (value === null) {
      if (nullable || types.length === 0) return 1
      out.push({ is: 'type', path, expected, actual })
      return 0
    }
    const fits =
      types.includes(actual) ||
      (actual === 'integer' && types.includes('number')) ||
      (actual === 'number' && types.includes('integer') && isJsonInteger(value as number))
    const plain = actual !== 'string' && actual !== 'array'
    const goFormat = actual === 'integer' ? 'int64' : actual === 'number' ? 'float64' : ''
    if (plain && format !== '' && !fits && goFormat !== format) {
      out.push({ is: 'type', path, expected: format, actual: goFormat })
      return 0
    }
    if (fits || (!numeric && format !== '' && !plain)) return 1
    out.push({ is: 'type', path, expected, actual })
    return 0
  }
}

function enumCheck(schema: JsonSchema): Part<JsonValue> {
  const allowed = schema.enum
  if (!allowed || allowed.length === 0) return () => 0
  const scalars = new Set<JsonValue>(allowed.filter((value) => value !== null && typeof value !== 'object'))
  const compounds = allowed.filter((value) => value !== null && typeof value === 'object')
  return (value, path, out) => {
    if (scalars.has(value) || compounds.some((one) => jsonEqual(one, value))) return 0
    if (typeof value === 'number' && allowed.some((one) => convertsTo(value, one))) return 0
    out.push({ is: 'enum', path, value, allowed })
    return 0
  }
}

/** Upstream compares after Go's conversion too: fractions lose what follows the point, whole numbers make characters. */
function convertsTo(value: number, allowed: JsonValue): boolean {
  if (typeof allowed === 'number') return isInt(allowed) && Math.trunc(value) === allowed
  if (typeof allowed !== 'string' || !isInt(value)) return false
  const isCharacter = value >= 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff)
  return allowed === (isCharacter ? String.fromCodePoint(value) : '\ufffd')
}

function stringCheck(schema: JsonSchema, format: string): Part<string> {
  const length = lengthCheck(schema)
  const isFormat: FormatCheck | undefined = stringFormat(format)
  return (value, path, out, correlation) => {
    length(value, path, out, correlation)
    if (!isFormat) return 1
    if (!isFormat(value)) out.push({ is: 'type', path, expected: format, actual: value })
    return 2
  }
}

/** Lengths count code points. Only the first thing wrong is told, as upstream does. */
function lengthCheck(schema: JsonSchema): Part<string> {
  const { maxLength, minLength, pattern } = schema
  const compiled = pattern ? compileRe2(pattern) : undefined
  return (value, path, out) => {
    if (maxLength !== undefined && value.length > maxLength && runes(value) > maxLength) {
      out.push({ is: 'tooLong', path, limit: maxLength })
    } else if (minLength !== undefined && runes(value) < minLength) {
      out.push({ is: 'value', path, value, rule: `should be at least ${minLength} chars long` })
    } else if (compiled && !compiled.ok) {
      const rule = `should match '${pattern}, but pattern is invalid: ${compiled.error}'`
      out.push({ is: 'value', path, value, rule })
    } else if (compiled && !compiled.regexp.test(value)) {
      out.push({ is: 'value', path, value, rule: `should match '${pattern}'` })
    }
    return 0
  }
}

/** How many code points a text has. */
export function runes(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xdc00 || unit > 0xdfff) count++
  }
  return count
}

function listCheck(schema: JsonSchema): Part<readonly JsonValue[]> {
  const item = schema.items ? compileCheck(schema.items) : undefined
  const changedItem = item ? ratcheted(item) : undefined
  const { minItems, maxItems, uniqueItems } = schema
  return (value, path, out, correlation) => {
    let matched = 0
    const size = value.length
    if (item && changedItem) {
      for (let i = 0; i < size; i++) {
        const old = correlation?.index(i)
        matched += old
          ? changedItem(value[i] ?? null, index(path, i), out, old)
          : item(value[i] ?? null, index(path, i), out)
      }
    }
    if (minItems !== undefined && size < minItems) {
      out.push({ is: 'value', path, value: size, rule: `should have at least ${minItems} items` })
    }
    if (maxItems !== undefined && size > maxItems) out.push({ is: 'tooManyItems', path, actual: size, limit: maxItems })
    if (uniqueItems && hasDuplicate(value)) {
      out.push({ is: 'value', path, value: '', rule: "shouldn't contain duplicates" })
    }
    return matched
  }
}

function hasDuplicate(items: readonly JsonValue[]): boolean {
  return items.some((item, i) => items.findIndex((other) => jsonEqual(item, other)) < i)
}

function objectCheck(schema: JsonSchema): Part<JsonObject> {
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([name, sub]) => {
      const check = compileCheck(sub)
      return [name, { check, changed: ratcheted(check) }] as const
    }),
  )
  const additional = additionalSchema(schema)
  const check = additional ? compileCheck(additional) : undefined
  const others = check ? { check, changed: ratcheted(check) } : undefined
  const closed = schema.additionalProperties === false
  const required = schema.required ?? []
  const limits = sizeCheck(schema)

  return (value, path, out, correlation) => {
    limits(value, path, out, correlation)
    let matched = 0
    for (const name in value) {
      const item = value[name]
      if (item === undefined) continue
      const own = properties.get(name)
      const checks = own ?? others
      if (!checks) {
        if (closed) out.push({ is: 'forbiddenProperty', path, name })
        continue
      }
      const at = own ? child(path, name) : key(path, name)
      // apiVersion and kind of the whole cannot be ratcheted: both sides were converted to the same version.
      const typeMeta = path === undefined && (name === 'apiVersion' || name === 'kind')
      const old = typeMeta ? undefined : correlation?.key(name)
      matched += old ? checks.changed(item, at, out, old) : checks.check(item, at, out)
    }
    for (const name of required) {
      if (value[name] === undefined || !Object.hasOwn(value, name))
        out.push({ is: 'required', path: child(path, name) })
    }
    return matched
  }
}

function sizeCheck(schema: JsonSchema): Part<JsonObject> {
  const { minProperties, maxProperties } = schema
  if (minProperties === undefined && maxProperties === undefined) return () => 0
  return (value, path, out) => {
    const size = Object.keys(value).length
    if (minProperties !== undefined && size < minProperties) {
      out.push({ is: 'value', path, value: size, rule: `should have at least ${minProperties} properties` })
    }
    if (maxProperties !== undefined && size > maxProperties) {
      out.push({ is: 'tooManyProperties', path, actual: size, limit: maxProperties })
    }
    return 0
  }
}
