import { writtenBy } from '../../crds/written-by.ts'
import type { Crd, CrdFile, Schema } from './crd.ts'
import { docstring, type TypeOptions, TypeWriter } from './types.ts'

/**
 * `crds/builders.gen.ts`: per kind that people write, the type of its manifests, in which what has a default may be left out, and a function
 * that makes one.
 */
export function generateBuilders(crds: readonly CrdFile[]): string {
  const authored = crds.filter(({ crd }) => !(crd.spec.names.kind in writtenBy))
  const inputs = new InputTypes()
  const makers = authored.map(({ crd }) => maker(crd, inputs))
  const shared = [...inputs.shared].sort()
  return [
    '// Generated from crds/*.yaml by `npm run generate`. Do not edit.',
    "import type { ClusterManifestMetadata, ManifestMetadata } from './manifest.ts'",
    `import type {\n${shared.map((name) => `  ${name},\n`).join('')}} from './types.gen.ts'`,
    '',
    inputs.text(),
    makers.join('\n'),
  ].join('\n')
}

function maker(crd: Crd, inputs: InputTypes): string {
  const { group, names, scope, versions } = crd.spec
  const [version] = versions
  const { kind, singular } = names
  const schema = version.schema.openAPIV3Schema
  const spec = inputs.object(`${kind}Spec`, `${kind}.spec`, schema.properties!.spec!)
  const metadata = scope === 'Namespaced' ? 'ManifestMetadata' : 'ClusterManifestMetadata'
  const absent = schema.properties!.spec!.required?.length ? '' : ' = {}'
  const type = `{ apiVersion: '${group}/${version.name}', kind: '${kind}', metadata: { name, ...metadata }, spec }`
  return `/** ${/^[AEIOU]/.test(kind) ? 'An' : 'A'} ${kind} as it is written. */
export interface ${kind}Manifest {
  readonly apiVersion: '${group}/${version.name}'
  readonly kind: '${kind}'
  readonly metadata: ${metadata} & { readonly name: string }
  readonly spec: ${spec}
}

${docstring(schema.description, '')}export function ${functionName(kind, singular)}(name: string, spec: ${spec}${absent}, metadata: ${metadata} = {}): ${kind}Manifest {
  return ${type}
}
`
}

/** `hardwareClass`: the kind as JavaScript writes functions. */
function functionName(kind: string, singular: string): string {
  const name = kind[0]!.toLowerCase() + kind.slice(1)
  if (name.toLowerCase() !== singular) throw new Error(`${kind}: its singular should be ${name.toLowerCase()}`)
  return name
}

/** Types of which defaults may be left out; those without any are the ones that the API gives out. */
class InputTypes implements TypeOptions {
  readonly shared = new Set<string>()
  readonly #writer = new TypeWriter(this)

  /** Declares a type and gives its name. */
  object(name: string, path: string, schema: Schema): string {
    const type = this.nameFor(name, schema)
    if (type !== name) this.#writer.object(type, path, schema)
    return type
  }

  text(): string {
    return this.#writer.text()
  }

  nameFor(name: string, schema: Schema): string {
    if (hasDefaults(schema)) return `${name}Input`
    this.shared.add(name)
    return name
  }

  declares(name: string): boolean {
    return !this.shared.has(name)
  }

  always(parent: Schema, field: string): boolean {
    return parent.required?.includes(field) ?? false
  }
}

/** Whether something below it may be left out that the API then fills in. */
function hasDefaults(schema: Schema): boolean {
  const parts = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties]
  return parts.some((part) => part && (part.default !== undefined || hasDefaults(part)))
}
