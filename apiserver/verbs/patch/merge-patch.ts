import type { JsonValue } from '../../../crds/metadata.ts'
import { isObject } from '../../json.ts'

/** RFC 7386: null removes, objects merge, everything else replaces. Shares with `target` what it does not change. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch
  const result: Record<string, JsonValue | undefined> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete result[key]
    else setOwn(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value))
  }
  return result
}

/** Assigns also where the key is `__proto__`, which a plain assignment would not make a field. */
function setOwn(object: Record<string, JsonValue | undefined>, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
