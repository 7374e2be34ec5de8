/**
 * What plain (unquoted) scalars stand for: as YAML 1.2's core schema has it, and where kubectl, whose YAML is go-yaml's mixture of 1.1 and 1.2,
 * reads something else.
 */

const WORDS = new Map<string, boolean | null>([
  ...['~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
])
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const NO_NUMBER = /^[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)$/

/**
 * The value of a plain scalar that is not empty. Undefined for numbers that JSON or JavaScript cannot carry, or that are written
 * ambiguously: those are for the careful reader to refuse.
 */
export function plainScalar(text: string): string | number | boolean | null | undefined {
  const first = text.charCodeAt(0)
  if (first > 57) {
    // Words start with one of F N T f n t ~.
    const word = first === 126 || (first | 32) === 102 || (first | 32) === 110 || (first | 32) === 116
    if (!word || text.length > 5) return text
    const value = WORDS.get(text)
    return value === undefined ? text : value
  }
  // Numbers start with + - . or a digit.
  return first >= 48 || first === 43 || first === 45 || first === 46 ? numberOrText(text) : text
}

function numberOrText(text: string): string | number | undefined {
  if (isDigits(text)) {
    const value = Number(text)
    return Number.isSafeInteger(value) && !(text.length > 1 && text.charCodeAt(0) === 48) ? value : undefined
  }
  if (FLOAT.test(text)) {
    const value = Number.parseFloat(text)
    const whole = /^[-+][0-9]+$/.test(text)
    if (whole && (!Number.isSafeInteger(value) || /^[-+]0[0-9]/.test(text))) return undefined
    // The careful reader reads whole numbers as bigints, which have no -0.
    return Number.isFinite(value) ? (whole && value === 0 ? 0 : value) : undefined
  }
  if (text.charCodeAt(0) === 48 && (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text))) {
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : undefined
  }
  return NO_NUMBER.test(text) ? undefined : text
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 48 || c > 57) return false
  }
  return true
}

const SWITCH = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/
const GO_INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)$/

/** What kubectl (and Argo CD, Flux, Helm) reads where we read a plain scalar as text: `a boolean`, `a number`. Undefined where it is text too. */
export function otherReading(text: string): 'a boolean' | 'a number' | undefined {
  const first = text.charCodeAt(0)
  if (first > 57) return text.length <= 3 && SWITCH.test(text) ? 'a boolean' : undefined
  if (first < 48 && first !== 43 && first !== 45 && first !== 46) return undefined
  const bare = text.includes('_') ? text.replaceAll('_', '') : text
  return GO_INTEGER.test(bare) || FLOAT.test(bare) ? 'a number' : undefined
}
