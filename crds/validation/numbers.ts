const INT64_LIMIT = 2 ** 63

/** Whether Kubernetes decodes this JSON number to an int64 rather than a float64. */
export const isInt = (value: number): boolean => Number.isInteger(value) && Math.abs(value) <= INT64_LIMIT

const SAFE = 2 ** 53 - 1

/** go-openapi's idea of an integer in a float64: exact, or off by less than one in 10^9. */
export function isJsonInteger(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > SAFE) return false
  if (Number.isInteger(value)) return true
  const whole = Math.trunc(value)
  if (whole <= 0) return false
  return Math.abs(value - whole) / (Math.abs(value) + whole) < 1e-9
}
