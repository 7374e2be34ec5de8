/** Freezes plain JSON data all the way down and gives it back. What caches hand out is shared: nobody may change it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const key in value) {
    const child = value[key]
    if (typeof child === 'object' && child !== null) deepFreeze(child)
  }
  return value
}
