import type { CrdFile, Schema } from './crd.ts'
import { typeDocs, typeNames, typeOverrides } from './type-names.ts'

/** `crds/types.gen.ts`: a readonly interface per kind, spec, status and nested object, as the API gives them out (defaults filled in). */
export function generateTypes(crds: readonly CrdFile[]): string {
  const writer = new TypeWriter(AS_GIVEN_OUT)
  for (const { crd } of crds) declareKind(writer, crd.spec.names.kind, crd)
  const kinds = crds.map(({ crd }) => crd.spec.names.kind)
  return [
    '// Generated from crds/*.yaml by `npm run generate`. Do not edit.',
    "import type { Condition, KubeObject } from './metadata.ts'",
    '',
    writer.text(),
    '/** Every kind by its name. */',
    'export interface Kinds {',
    ...kinds.map((kind) => `  readonly ${kind}: ${kind}`),
    '}',
    'export type KindName = keyof Kinds',
    'export type AnyKind = Kinds[KindName]',
    '',
  ].join('\n')
}

/** How schemas become types. */
export interface TypeOptions {
  /** What an object's or an enum's type is called, given its name in type-names.ts. */
  nameFor(name: string, schema: Schema): string
  /** Whether the type of that name is written here; otherwise it is imported. */
  declares(name: string): boolean
  /** Whether a field is always there. */
  always(parent: Schema, field: string): boolean
}

const AS_GIVEN_OUT: TypeOptions = {
  nameFor: (name) => name,
  declares: () => true,
  // What has a default is always there once the API has seen the object.
  always: (parent, field) => parent.required?.includes(field) || parent.properties?.[field]?.default !== undefined,
}

function declareKind(writer: TypeWriter, kind: string, { spec }: CrdFile['crd']): void {
  const [version] = spec.versions
  const schema = version.schema.openAPIV3Schema
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : '?'
    const type = `${kind}${name[0]!.toUpperCase()}${name.slice(1)}`
    writer.object(type, `${kind}.${name}`, field)
    return `${docstring(field.description, '  ')}  readonly ${name}${optional}: ${type}\n`
  })
  writer.add(
    kind,
    `${docstring(schema.description, '')}export interface ${kind} extends KubeObject {
  readonly apiVersion: '${spec.group}/${version.name}'
  readonly kind: '${kind}'
${fields.join('')}}`,
  )
}

/** Named types, each declared once; two of the same name must have the same shape. */
export class TypeWriter {
  readonly #byName = new Map<string, { shape: string; text: string }>()
  readonly #options: TypeOptions

  constructor(options: TypeOptions) {
    this.#options = options
  }

  add(name: string, text: string): void {
    // Only the shape has to agree, not the words about it.
    const shape = text.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '')
    const before = this.#byName.get(name)
    if (before && before.shape !== shape) throw new Error(`two different shapes are called ${name}; see type-names.ts`)
    if (!before) this.#byName.set(name, { shape, text })
  }

  text(): string {
    return [...this.#byName.values()].map(({ text }) => `${text}\n`).join('\n')
  }

  /** Declares an object's type, and those of its parts before it. `path` as in type-names.ts. */
  object(name: string, path: string, schema: Schema): void {
    const fields = Object.entries(schema.properties ?? {}).map(([field, fieldSchema]) => {
      const optional = this.#options.always(schema, field) ? '' : '?'
      const type = this.#typeOf(`${path}.${field}`, fieldSchema)
      return `${docstring(fieldDoc(fieldSchema), '  ')}  readonly ${field}${optional}: ${type}\n`
    })
    this.add(
      name,
      `${docstring(typeDocs[name] ?? schema.description, '')}export interface ${name} {\n${fields.join('')}}`,
    )
  }

  #typeOf(path: string, schema: Schema): string {
    const override = typeOverrides[path]
    if (override) return override
    if (schema['x-kubernetes-int-or-string']) return 'number | string'
    if (schema.type === 'array') {
      if (path.endsWith('.status.conditions')) return 'readonly Condition[]'
      const items = this.#typeOf(`${path}[]`, schema.items!)
      return items.includes('|') ? `readonly (${items})[]` : `readonly ${items}[]`
    }
    if (schema.additionalProperties) {
      return `Readonly<Record<string, ${this.#typeOf(`${path}{}`, schema.additionalProperties)}>>`
    }
    if (schema.type === 'object') {
      const base = typeNames[path]
      if (!base) throw new Error(`${path} is an object without a name; give it one in scripts/generate/type-names.ts`)
      const name = this.#options.nameFor(base, schema)
      if (this.#options.declares(name)) this.object(name, path, schema)
      return name
    }
    if (schema.enum) {
      const union = schema.enum.map((value) => `'${value}'`).join(' | ')
      const base = typeNames[path]
      if (!base) return union
      const name = this.#options.nameFor(base, schema)
      if (this.#options.declares(name)) this.add(name, `export type ${name} = ${union}`)
      return name
    }
    return schema.type === 'integer' ? 'number' : schema.type!
  }
}

function fieldDoc(schema: Schema): string {
  const fallback = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default)}\`.`
  return `${schema.description ?? ''}${fallback}`
}

/** A description as a comment before what it describes; nothing where there is none. */
export function docstring(text: string | undefined, indent: string): string {
  if (!text) return ''
  const lines = text.trim().split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}
