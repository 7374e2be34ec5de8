import { stringify } from 'yaml'
import { type ConditionDoc, commonReasons, conditions, eventReasons } from '../../crds/reasons.ts'
import type { Column, Crd, CrdFile, Schema } from './crd.ts'
import { exampleObject } from './example.ts'

/** `docs/reference/`: an index, and one page per kind, all with the same outline. */
export function generateDocs(crds: readonly CrdFile[]): ReadonlyMap<string, string> {
  const pages = new Map(crds.map(({ crd }) => [`docs/reference/${pageOf(crd)}`, page(crd)]))
  pages.set('docs/reference/README.md', index(crds))
  return pages
}

const pageOf = (crd: Crd) => `${crd.spec.names.singular}.md`

function index(crds: readonly CrdFile[]): string {
  const rows = crds.map(({ crd }) => {
    const { kind, shortNames, plural } = crd.spec.names
    const [version] = crd.spec.versions
    const what = (version.schema.openAPIV3Schema.description ?? '').split('\n').join(' ').split('. ')[0]
    return [
      `[${kind}](${pageOf(crd)})`,
      `\`${plural}.${crd.spec.group}\``,
      code(shortNames.join(', ')),
      `${what?.replace(/\.$/, '')}.`,
    ]
  })
  return `<!-- Generated from crds/*.yaml by \`npm run generate\`. Do not edit. -->
# Reference

${table(['Kind', 'Resource', 'Short', 'What it is'], rows)}
`
}

function page(crd: Crd): string {
  const { kind, plural, shortNames } = crd.spec.names
  const [version] = crd.spec.versions
  const schema = version.schema.openAPIV3Schema
  const { spec, status } = schema.properties ?? {}
  return `<!-- Generated from crds/${crd.spec.group}_${plural}.yaml by \`npm run generate\`. Do not edit. -->
# ${kind}

${schema.description?.trim()}

\`${crd.spec.group}/${version.name}\`, ${crd.spec.scope === 'Namespaced' ? 'namespaced' : 'cluster-scoped'}.
\`kubectl get ${plural}\`, or for short ${shortNames.map(code).join(', ')}; with everything of Weir's: \`kubectl get weir\`.

## Example

\`\`\`yaml
${stringify(exampleObject(crd), { lineWidth: 120, version: '1.1' }).trimEnd()}
\`\`\`

## Spec

${fieldTable(spec!)}
${rules(schema, spec!)}
## Status

${status?.description}

${fieldTable(status!)}

## Conditions

${conditionSection(kind)}
## Events

${eventSection(kind)}
## Columns

What \`kubectl get ${plural}\` prints; the last column says what needs \`-o wide\`.

${table(['Column', 'Shows', 'From', 'Wide'], version.additionalPrinterColumns.map(columnRow))}
`
}

function columnRow({ name, description, jsonPath, priority }: Column): string[] {
  return [name, description ?? 'Time since it was made.', code(jsonPath), priority ? 'yes' : '']
}

function fieldTable(schema: Schema): string {
  const rows: string[][] = []
  collect(rows, '', schema)
  return table(['Field', 'Type', 'Default', 'Description'], rows)
}

function collect(rows: string[][], prefix: string, schema: Schema): void {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const path = `${prefix}${name}`
    const required = schema.required?.includes(name)
    const fallback = field.default === undefined ? (required ? 'required' : '') : code(JSON.stringify(field.default))
    rows.push([code(path), typeOf(field), fallback, describe(field)])
    collect(rows, `${path}.`, field)
    if (field.items) collect(rows, `${path}[].`, field.items)
  }
}

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'integer or string'
  if (schema.type === 'array') return `list of ${typeOf(schema.items!)}`
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`
  if (schema.enum) return schema.enum.map(code).join(' ')
  return schema.format && schema.type === 'string' ? `string (${schema.format})` : (schema.type ?? 'any')
}

function describe(schema: Schema): string {
  const bounds = [
    range(schema),
    schema.maxItems !== undefined && `At most ${schema.maxItems}.`,
    ...messages(schema),
    ...(schema.items ? messages(schema.items) : []),
  ]
  return [schema.description?.trim().split('\n').join(' '), ...bounds.filter(Boolean)].join(' ')
}

function range({ minimum, maximum, exclusiveMinimum }: Schema): string | undefined {
  if (minimum === undefined) return undefined
  if (exclusiveMinimum) return `More than ${minimum}${maximum === undefined ? '' : `, at most ${maximum}`}.`
  if (maximum !== undefined) return `${minimum} to ${maximum}.`
  return minimum > 0 ? `At least ${minimum}.` : undefined
}

/** CEL messages as sentences. */
const messages = (schema: Schema) =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `${message[0]!.toUpperCase()}${message.slice(1)}.`)

function rules(root: Schema, spec: Schema): string {
  const all = [...messages(root), ...messages(spec)]
  return all.length === 0 ? '' : `\n${all.map((rule) => `- ${rule}`).join('\n')}\n`
}

function conditionSection(kind: string): string {
  const types: Readonly<Record<string, ConditionDoc>> | undefined = conditions[kind as keyof typeof conditions]
  if (!types) throw new Error(`${kind} has no entry in crds/reasons.ts`)
  const entries = Object.entries(types)
  if (entries.length === 0) return 'None: nothing has to happen for it to be as its spec says.\n'
  const rows = entries.flatMap(([type, { meaning, reasons }]) => [
    [`**${type}**`, '', meaning],
    ...Object.entries(reasons).map(([reason, means]) => ['', code(reason), `${means}.`]),
  ])
  const common = Object.entries(commonReasons).map(([reason, means]) => ['**Ready**', code(reason), `${means}.`])
  return `${table(['Type', 'Reason', 'Meaning'], [...rows, ...common])}\n`
}

function eventSection(kind: string): string {
  const reasons: Readonly<Record<string, string>> = eventReasons[kind as keyof typeof eventReasons]
  const rows = Object.entries(reasons).map(([reason, means]) => [code(reason), `${means}.`])
  return rows.length === 0 ? 'None.\n' : `${table(['Reason', 'Meaning'], rows)}\n`
}

const code = (text: string) => `\`${text}\``

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
