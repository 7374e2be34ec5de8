import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import type { Screen } from './screen.ts'

const SHOWN_IN_HEAD = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
  '.metadata.creationTimestamp',
])

/** Every field of an object of any kind. Of Secrets only the sizes. */
export function describeGeneric(screen: Screen, object: KubeObject & JsonObject): void {
  screen.head(object)
  screen.tree(object.kind === 'Secret' && object.apiVersion === 'v1' ? sizesOnly(object) : object, 0, SHOWN_IN_HEAD)
}

function sizesOnly(secret: JsonObject): JsonObject {
  const data = Object.entries((secret.data ?? {}) as Record<string, JsonValue>).map(([key, value]) => [
    key,
    `${Buffer.from(String(value), 'base64').length} bytes`,
  ])
  return { ...secret, data: Object.fromEntries(data) }
}
