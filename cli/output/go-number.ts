/** A number as Go's `strconv.FormatFloat(x, 'g', -1, 64)` writes it; integers that JSON wrote without a fraction stay whole. */
export function goFloat(value: number, exponentFrom: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return Object.is(value, -0) ? '-0' : String(value)
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < exponentFrom) return plainDecimal(value)
  const sign = power < 0 ? '-' : '+'
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
}

/** As YAML written by Go: exponents from a million on. */
export const goYamlNumber = (value: number) => goFloat(value, 6)
/** As `fmt.Sprint` writes it: exponents from 1e21 on. */
export const goSprintNumber = (value: number) => goFloat(value, 21)

function plainDecimal(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return value.toFixed(20).replace(/0+$/, '')
}
