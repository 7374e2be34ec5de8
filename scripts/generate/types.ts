import type { CrdFile, Schema } from './crd.ts'
import { typeDocs, typeNames, typeOverrides } from './type-names.ts'

/** `crds/types.gen.ts`: a readonly interface per kind, spec, status and nested object, as the API gives them out (defaults filled in). */
export function generateTypes(crds: readonly CrdFile[]): string {
  const declarations = new Declarations()
  for (const { crd } of crds) declareKind(declarations, crd.spec.names.kind, crd)
  const kinds = crds.map(({ crd }) => crd.spec.names.kind)
  return [
    '// Generated from crds/*.yaml by `npm run generate`. Do not edit.',
    "import type { Condition, KubeObject } from './metadata.ts'",
    '',
    declarations.text(),
    '/** Every kind by its name. */',
    'export interface Kinds {',
    ...kinds.map((kind) => `  readonly ${kind}: ${kind}`),
    '}',
    'export type KindName = keyof Kinds',
    'export type AnyKind = Kinds[KindName]',
    '',
  ].join('\n')
}

/** Named types, each declared once; two of the same name must have the same shape. */
class Declarations {
  #byName = new Map<string, { shape: string; text: string }>()

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
}

function declareKind(declarations: Declarations, kind: string, { spec }: CrdFile['crd']): void {
  const [version] = spec.versions
  const schema = version.schema.openAPIV3Schema
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : '?'
    const type = `${kind}${name[0]!.toUpperCase()}${name.slice(1)}`
    declareObject(declarations, type, `${kind}.${name}`, field)
    return `${docstring(field.description, '  ')}  readonly ${name}${optional}: ${type}\n`
  })
  declarations.add(
    kind,
    `${docstring(schema.description, '')}export interface ${kind} extends KubeObject {
  readonly apiVersion: '${spec.group}/${version.name}'
  readonly kind: '${kind}'
${fields.join('')}}`,
  )
}

function declareObject(declarations: Declarations, name: string, path: string, schema: Schema): void {
  const fields = Object.entries(schema.properties ?? {}).map(([field, fieldSchema]) => {
    // What has a default is always there once the API has seen the object.
    const always = schema.required?.includes(field) || fieldSchema.default !== undefined
    const type = typeOf(declarations, `${path}.${field}`, fieldSchema)
    return `${docstring(fieldDoc(fieldSchema), '  ')}  readonly ${field}${always ? '' : '?'}: ${type}\n`
  })
  declarations.add(
    name,
    `${docstring(typeDocs[name] ?? schema.description, '')}export interface ${name} {\n${fields.join('')}}`,
  )
}

function typeOf(declarations: Declarations, path: string, schema: Schema): string {
  const override = typeOverrides[path]
  if (override) return override
  if (schema['x-kubernetes-int-or-string']) return 'number | string'
  if (schema.type === 'array') {
    if (path.endsWith('.status.conditions')) return 'readonly Condition[]'
    const items = typeOf(declarations, `${path}[]`, schema.items!)
    return items.includes('|') ? `readonly (${items})[]` : `readonly ${items}[]`
  }
  if (schema.additionalProperties) {
    return `Readonly<Record<string, ${typeOf(declarations, `${path}{}`, schema.additionalProperties)}>>`
  }
  if (schema.type === 'object') {
    const name = typeNames[path]
    if (!name) throw new Error(`${path} is an object without a name; give it one in scripts/generate/type-names.ts`)
    declareObject(declarations, name, path, schema)
    return name
  }
  if (schema.enum) {
    const union = schema.enum.map((value) => `'${value}'`).join(' | ')
    const name = typeNames[path]
    if (!name) return union
    declarations.add(name, `export type ${name} = ${union}`)
    return name
  }
  return schema.type === 'integer' ? 'number' : schema.type!
}

function fieldDoc(schema: Schema): string {
  const fallback = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default)}\`.`
  return `${schema.description ?? ''}${fallback}`
}

function docstring(text: string | undefined, indent: string): string {
  if (!text) return ''
  const lines = text.trim().split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}
