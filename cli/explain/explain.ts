import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { ConnectionFlags } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../manifests/suggest.ts'
import { escapeTerminal } from '../output/escape.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { wrap } from '../output/wrap.ts'
import { type Explained, explainedType } from './schema.ts'

export interface ExplainFlags extends ConnectionFlags {
  readonly recursive?: boolean
  readonly apiVersion?: string
}

const WIDTH = 100

/** `weir explain`: what a kind or a field means. Without a type: Weir's kinds. */
export async function runExplain(io: Io, words: readonly string[], flags: ExplainFlags): Promise<ExitCode> {
  const [word, ...more] = words
  if (more.length > 0) throw usageError('we accept only this format: explain TYPE[.FIELD…]')
  if (word === undefined) {
    await io.out(kindList())
    return ExitCode.ok
  }
  const [type = '', ...path] = word.split('.')
  try {
    const explained = await explainedType(io, type, flags)
    await io.out(escapeTerminal(render(explained, path, flags.recursive ?? false)))
    return ExitCode.ok
  } catch (error) {
    throw requestFailure(error)
  }
}

function kindList(): string {
  const writer = new TabWriter()
  writer.line(['NAME', 'SHORTNAMES', 'APIVERSION', 'KIND', 'MEANING'])
  for (const { plural, shortNames, apiVersion, kind, summary } of Object.values<KindInfo>(registry)) {
    writer.line([plural, shortNames.join(','), apiVersion, kind, summary])
  }
  return writer.flush()
}

function render(explained: Explained, path: readonly string[], recursive: boolean): string {
  const { group, version, kind } = explained
  const field = descend(explained, path)
  const schema = itemOf(explained, field.schema)
  const head = `${group === '' ? '' : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\n`
  const title =
    path.length === 0
      ? ''
      : `FIELD: ${path.at(-1)} <${typeText(explained, field.schema)}>${field.required ? ' -required-' : ''}\n\n`
  const facts = factsOf(field.schema)
  const description = `DESCRIPTION:\n${indented(String(field.schema.description ?? '<empty>'), 4)}`
  const notes = facts.length === 0 ? '' : `\n${facts.map((fact) => `    ${fact}\n`).join('')}`
  const properties = propertiesOf(schema)
  if (properties.length === 0) return `${head}${title}${description}${notes}\n`
  const fields = recursive
    ? tree(explained, schema, 1, new Set())
    : properties.map(([name, part]) => fieldText(explained, name, part, requiredOf(schema))).join('\n')
  return `${head}${title}${description}${notes}\nFIELDS:\n${fields}\n`
}

/** The schema at a path of fields; lists are looked through. */
function descend(
  explained: Explained,
  path: readonly string[],
): { readonly schema: JsonObject; readonly required: boolean } {
  let schema = explained.resolve(explained.schema)
  let required = false
  for (const [index, step] of path.entries()) {
    const parent = itemOf(explained, schema)
    const properties = (parent.properties ?? {}) as Readonly<Record<string, JsonObject>>
    const found = Object.hasOwn(properties, step) ? properties[step] : undefined
    if (!found) {
      const at = [explained.kind, ...path.slice(0, index)].join('.')
      throw new CliError(
        ExitCode.usage,
        `field "${step}" does not exist in ${at}${didYouMean(step, Object.keys(properties))}`,
      )
    }
    required = requiredOf(parent).has(step)
    schema = explained.resolve(found)
  }
  return { schema, required }
}

/** What a list or a map is made of; the schema itself where it is neither. */
function itemOf(explained: Explained, schema: JsonObject): JsonObject {
  const inner = schema.type === 'array' ? schema.items : schema.properties ? undefined : schema.additionalProperties
  return typeof inner === 'object' && inner !== null
    ? itemOf(explained, explained.resolve(inner as JsonObject))
    : schema
}

function propertiesOf(schema: JsonObject): [string, JsonObject][] {
  return Object.entries((schema.properties ?? {}) as Record<string, JsonObject>).sort(([a], [b]) => (a < b ? -1 : 1))
}

const requiredOf = (schema: JsonObject) => new Set((schema.required ?? []) as readonly string[])

function fieldText(explained: Explained, name: string, part: JsonObject, required: ReadonlySet<string>): string {
  const schema = explained.resolve(part)
  const facts = factsOf(schema)
    .map((fact) => `    ${fact}\n`)
    .join('')
  return `  ${name}\t<${typeText(explained, schema)}>${required.has(name) ? ' -required-' : ''}\n${indented(String(schema.description ?? '<no description>'), 4)}${facts}`
}

function tree(explained: Explained, schema: JsonObject, level: number, seen: ReadonlySet<JsonObject>): string {
  return propertiesOf(schema)
    .map(([name, part]) => {
      const resolved = explained.resolve(part)
      const required = requiredOf(schema).has(name) ? ' -required-' : ''
      const line = `${'  '.repeat(level)}${name}\t<${typeText(explained, resolved)}>${required}${shortFacts(resolved)}\n`
      // JSONSchemaProps, for one, holds itself.
      return seen.has(part) || level > 20
        ? line
        : line + tree(explained, itemOf(explained, resolved), level + 1, new Set([...seen, part]))
    })
    .join('')
}

/** What fits behind a field on its line: allowed values and the default. */
function shortFacts(schema: JsonObject): string {
  const values = Array.isArray(schema.enum) ? ` one of ${schema.enum.map(String).join(', ')}` : ''
  return values + (schema.default === undefined ? '' : ` (default ${JSON.stringify(schema.default)})`)
}

function typeText(explained: Explained, part: JsonObject): string {
  const schema = explained.resolve(part)
  if (schema['x-kubernetes-int-or-string'] === true) return 'int-or-string'
  if (schema.type === 'array') return `[]${typeText(explained, (schema.items ?? {}) as JsonObject)}`
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object' && additionalProperties !== null && !schema.properties) {
    return `map[string]${typeText(explained, additionalProperties as JsonObject)}`
  }
  if (schema.properties || schema.type === 'object') return String(schema['x-type-name'] ?? 'Object')
  return String(schema.type ?? 'any')
}

/** What else a writer of the field wants to know: allowed values, default, bounds, an example. */
function factsOf(schema: JsonObject): string[] {
  const facts: string[] = []
  if (Array.isArray(schema.enum)) facts.push(`ENUM: ${schema.enum.map(String).join(', ')}`)
  if (schema.default !== undefined) facts.push(`DEFAULT: ${JSON.stringify(schema.default)}`)
  const { minimum, maximum, minLength, maxLength, pattern, format } = schema
  if (minimum !== undefined || maximum !== undefined) facts.push(`RANGE: ${minimum ?? '…'} to ${maximum ?? '…'}`)
  if (typeof maxLength === 'number' && maxLength < 256) facts.push(`LENGTH: ${minLength ?? 0} to ${maxLength}`)
  if (typeof pattern === 'string') facts.push(`PATTERN: ${pattern}`)
  if (typeof format === 'string' && !/^int|^double$/.test(format)) facts.push(`FORMAT: ${format}`)
  if (schema.example !== undefined) facts.push(`EXAMPLE: ${JSON.stringify(schema.example)}`)
  for (const rule of (schema['x-kubernetes-validations'] ?? []) as readonly { message?: string }[])
    if (rule.message) facts.push(`RULE: ${rule.message}`)
  return facts
}

/** Wrapped and indented; ends with a newline. */
function indented(text: string, indent: number): string {
  const lines = text.split('\n').flatMap((paragraph) => wrap(paragraph, WIDTH - indent))
  return lines.map((line) => (line === '' ? '\n' : `${' '.repeat(indent)}${line}\n`)).join('')
}
