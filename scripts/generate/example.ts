import type { Crd, Schema } from './crd.ts'

/** What the example of each kind is called. They refer to each other. */
const names: Readonly<Record<string, string>> = {
  HardwareClass: 'storage-100t',
  Site: 'fra1',
  Appliance: 'fra1-a',
  Assignment: 'fra1-a',
  Catalog: 'films',
  PlacementPolicy: 'popular',
  PlacementPlan: 'popular-4f1c2a',
  SteeringPolicy: 'nearest',
}

/** A whole object of the kind with every field of its spec, made from the schema's examples. */
export function exampleObject({ spec }: Crd): Record<string, unknown> {
  const { kind } = spec.names
  const name = names[kind]
  if (!name) throw new Error(`${kind}: give its example a name in scripts/generate/example.ts`)
  const [version] = spec.versions
  return {
    apiVersion: `${spec.group}/${version.name}`,
    kind,
    metadata: { name, ...(spec.scope === 'Namespaced' && { namespace: 'default' }) },
    spec: exampleOf(version.schema.openAPIV3Schema.properties!.spec!, 'spec'),
  }
}

/** The example of one field: its own, or one put together from its parts. Throws where a part has none. */
export function exampleOf(schema: Schema, path: string): unknown {
  if (schema.example !== undefined) return schema.example
  if (schema.properties) {
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, exampleOf(field, `${path}.${name}`)]),
    )
  }
  if (schema.items) return [exampleOf(schema.items, `${path}[]`)]
  throw new Error(`${path} has no example`)
}
