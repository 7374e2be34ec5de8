import type { CrdFile } from './crd.ts'

/** `crds/registry.gen.ts`: what is known of every kind without its schema. */
export function generateRegistry(crds: readonly CrdFile[]): string {
  const entries = crds.map(({ crd: { metadata, spec } }) => {
    const { kind, listKind, plural, singular, shortNames, categories } = spec.names
    const [version] = spec.versions
    const info = {
      group: spec.group,
      version: version.name,
      apiVersion: `${spec.group}/${version.name}`,
      kind,
      listKind,
      plural,
      singular,
      shortNames,
      categories,
      namespaced: spec.scope === 'Namespaced',
      summary: firstSentence(version.schema.openAPIV3Schema.description ?? ''),
    }
    const fields = Object.entries(info).map(([name, value]) => `    ${name}: ${literal(value)},\n`)
    return `  ${kind}: {\n${fields.join('')}    loadCrd: () => load('${metadata.name}'),\n  },\n`
  })
  return `// Generated from crds/*.yaml by \`npm run generate\`. Do not edit.
import type { KindInfo } from './kind.ts'
import type { KindName } from './types.gen.ts'

const load = async (name: string) => (await import('./load.ts')).customResourceDefinition(name)

/** Every kind of Weir's by its name. */
export const registry = {
${entries.join('')}} as const satisfies Record<KindName, KindInfo>

/** The same as a list, sorted by \`plural.group\`. */
export const kinds: readonly KindInfo[] = Object.values(registry)
`
}

/** \`crds/bundle/crds.gen.json\`: the CRDs by name. */
export function generateBundle(crds: readonly CrdFile[]): string {
  return `${JSON.stringify(Object.fromEntries(crds.map(({ crd, json }) => [crd.metadata.name, json])))}\n`
}

function firstSentence(text: string): string {
  const flat = text.replaceAll('\n', ' ')
  return flat.slice(0, flat.search(/[.:] /) + 1 || undefined)
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value)
}
