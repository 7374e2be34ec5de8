import type { Path } from './field-path.ts'
import type { Finding } from './findings.ts'
import { goFloat, goNumber } from './go-format.ts'
import type { JsonSchema } from './json-schema.ts'
import { isInt, isJsonInteger } from './numbers.ts'

type NumberPart = (value: number, path: Path | undefined, out: Finding[]) => number

/** Bounds and multiples, compared as integers where the value is one, as kube-openapi does. */
export function numberCheck(schema: JsonSchema, types: readonly string[]): NumberPart {
  const type = types.length === 1 ? (types[0] ?? '') : ''
  const format = type === 'integer' || type === 'number' ? (schema.format ?? '') : ''
  const parts: NumberPart[] = []
  if (type === 'integer' || format === 'float') parts.push(rangeCheck('Checked', type, format))
  if (schema.multipleOf !== undefined) parts.push(multipleCheck(schema.multipleOf, type, format))
  if (schema.maximum !== undefined) {
    parts.push(boundCheck(schema.maximum, schema.exclusiveMaximum === true, 'Maximum', type, format))
  }
  if (schema.minimum !== undefined) {
    parts.push(boundCheck(schema.minimum, schema.exclusiveMinimum === true, 'Minimum', type, format))
  }
  return (value, path, out) => {
    for (const part of parts) part(value, path, out)
    return 0
  }
}

/** Whether a number can be held in the type and format without loss. */
function inRange(value: number, type: string, format: string): boolean {
  if (type === 'integer') {
    if (!Number.isInteger(value)) return false
    return format === 'int32' ? value >= -(2 ** 31) && value < 2 ** 31 : value >= -(2 ** 63) && value <= 2 ** 63
  }
  return format !== 'float' || Math.abs(value) <= 3.4028235677973366e38
}

function rangeCheck(label: string, type: string, format: string, fixed?: number): NumberPart {
  const how =
    format === 'int32' || format === 'int64' || format === 'float' ? `with format ${format}` : '(default format)'
  return (value, path, out) => {
    if (inRange(fixed ?? value, type, format)) return 0
    out.push({ is: 'whole', path, sentence: (name) => `${label} value must be of type ${type} ${how} in ${name}` })
    return 0
  }
}

function boundCheck(
  bound: number,
  exclusive: boolean,
  side: 'Maximum' | 'Minimum',
  type: string,
  format: string,
): NumberPart {
  const fits = inRange(bound, type, format)
  const misfit = rangeCheck(`${side} boundary`, type, format, bound)
  const beyond = side === 'Maximum' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b
  const words = side === 'Maximum' ? 'less than' : 'greater than'
  return (value, path, out) => {
    misfit(value, path, out)
    const whole = fits && isInt(value)
    const limit = whole ? Math.trunc(bound) : bound
    if (beyond(value, limit) || (exclusive && value === limit)) {
      const shown = whole ? goNumber(limit) : goFloat(limit)
      const rule = `should be ${words}${exclusive ? '' : ' or equal to'} ${shown}`
      out.push({ is: 'value', path, value, rule })
    }
    return 0
  }
}

function multipleCheck(factor: number, type: string, format: string): NumberPart {
  const fits = inRange(factor, type, format)
  const misfit = rangeCheck('MultipleOf', type, format, factor)
  return (value, path, out) => {
    misfit(value, path, out)
    const whole = fits && isInt(value)
    const step = whole ? Math.trunc(factor) : factor
    const shown = whole ? goNumber(step) : goFloat(step)
    if (step <= 0) {
      out.push({ is: 'factor', path, value: step, shown })
      return 0
    }
    const multiple = whole ? value % step === 0 : isJsonInteger(step < 1 ? (1 / step) * value : value / step)
    if (!multiple) out.push({ is: 'value', path, value, rule: `should be a multiple of ${shown}` })
    return 0
  }
}
