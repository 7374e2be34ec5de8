import bundle from './bundle/crds.gen.json' with { type: 'json' }
import type { JsonObject } from './metadata.ts'

const definitions: Readonly<Record<string, unknown>> = bundle

/**
 * The CustomResourceDefinition of the given name (`sites.fleet.weir.dev`), from the generated bundle: no YAML is parsed at run time.
 * The object is shared; do not change it.
 */
export function customResourceDefinition(name: string): JsonObject {
  const crd = definitions[name]
  if (crd === undefined) throw new RangeError(`${name} is none of Weir's CustomResourceDefinitions`)
  return crd as JsonObject
}

/** All of Weir's CustomResourceDefinitions, sorted by name. */
export function customResourceDefinitions(): readonly JsonObject[] {
  return Object.values(definitions) as JsonObject[]
}
