import { stringify } from 'yaml'
import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { wrap } from '../output/wrap.ts'
import { factsOf } from './facts.ts'

/** What a manifest is made of. */
export interface Draft {
  readonly kind: KindInfo
  /** The kind's schema. */
  readonly schema: JsonObject
  /** What editors read the file with: a URL, or a path from the file. */
  readonly schemaUrl: string
  /** With what was given; `metadata.name` at least. */
  readonly metadata: JsonObject
  readonly spec: JsonObject
}

export interface Rendered {
  readonly text: string
  /** Required fields that still need a value. */
  readonly missing: readonly string[]
}

const WIDTH = 100

/**
 * A manifest with every field of the spec and what is known of it. Prose begins with `##`. What was given or is required is there; everything
 * else is behind `# `, with its default or else its example, so that an editor's toggling of comments turns it on and leaves the prose alone.
 * Required fields without a value are empty, and marked.
 */
export function renderManifest({ kind, schema, schemaUrl, metadata, spec }: Draft): Rendered {
  const writer = new Writer()
  writer.line(0, `# yaml-language-server: $schema=${schemaUrl}`)
  writer.prose(0, String(schema.description ?? '').replaceAll('\n', ' '))
  writer.prose(
    0,
    `Lines that begin with "# " are optional: take the sign off to use them. More: weir explain ${kind.singular}`,
  )
  writer.line(0, `apiVersion: ${kind.apiVersion}`)
  writer.line(0, `kind: ${kind.kind}`)
  writeMetadata(writer, kind, metadata)
  const specSchema = (schema.properties as Readonly<Record<string, JsonObject>>).spec!
  writer.object('spec', specSchema, spec, 0, 'spec', false)
  return { text: writer.text, missing: writer.missing }
}

function writeMetadata(writer: Writer, kind: KindInfo, metadata: JsonObject): void {
  const { name, namespace, labels, annotations, ...rest } = metadata
  writer.line(0, 'metadata:')
  writer.value(1, 'name', name!)
  if (namespace !== undefined) writer.value(1, 'namespace', namespace)
  else if (kind.namespaced) {
    writer.prose(1, 'Default: the namespace that is applied to.')
    writer.commented(() => writer.value(1, 'namespace', 'default'))
  }
  if (labels !== undefined) writer.value(1, 'labels', labels)
  else {
    writer.prose(1, 'What policies and `weir get -l` select by.')
    writer.commented(() => writer.value(1, 'labels', { tier: 'edge' }))
  }
  if (annotations !== undefined) writer.value(1, 'annotations', annotations)
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) writer.value(1, key, value)
}

class Writer {
  text = ''
  readonly missing: string[] = []
  /** Indentation at which a comment sign stands before everything; undefined where nothing is commented out. */
  #comment: number | undefined

  line(level: number, text: string): void {
    const indent = '  '.repeat(level)
    const at = this.#comment
    this.text += at === undefined ? `${indent}${text}\n` : `${indent.slice(0, at)}# ${indent.slice(at)}${text}\n`
  }

  prose(level: number, text: string): void {
    const lines = text
      .trim()
      .split('\n')
      .flatMap((paragraph) => wrap(paragraph, WIDTH - 2 * level - 3))
    for (const line of lines) this.line(level, `## ${line}`)
  }

  /** Everything written in `write` is commented out, once however deep. */
  commented(write: () => void, level = 1): void {
    const outer = this.#comment
    this.#comment ??= 2 * level
    write()
    this.#comment = outer
  }

  /** A field with a value that is known as a whole. */
  value(level: number, key: string, value: JsonValue, note = ''): void {
    const lines = yaml({ [key]: value }).split('\n')
    for (const [index, text] of lines.entries()) this.line(level, index === lines.length - 1 ? `${text}${note}` : text)
  }

  object(key: string, schema: JsonObject, values: JsonObject, level: number, path: string, shown: boolean): void {
    const nothing = !shown && Object.keys(values).length === 0 && !(schema.required as readonly string[])?.length
    this.line(level, nothing ? `${key}: {} # <- take {} away when you turn on a field below` : `${key}:`)
    this.fields(schema, values, level + 1, path, shown)
  }

  /** `shown`: fields without a value get their default or example, because everything here is commented out already. */
  fields(schema: JsonObject, values: JsonObject, level: number, path: string, shown: boolean): void {
    const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonObject>>)
    const required = (schema.required ?? []) as readonly string[]
    // What must be there goes first, otherwise in the order of the definition.
    properties.sort(([a], [b]) => Number(required.includes(b)) - Number(required.includes(a)))
    for (const [key, field] of properties) {
      const needed = required.includes(key)
      const active = values[key] !== undefined || needed || shown
      const beside = values[key] ?? (active && !shown ? undefined : exampleOf(field))
      this.prose(level, [field.description, ...factsOf(field, needed, beside)].join(' ').replaceAll('\n', ' '))
      const at = `${path}.${key}`
      if (active) this.#field(key, field, values[key], level, at, shown)
      else this.commented(() => this.#field(key, field, undefined, level, at, true), level)
    }
  }

  #field(
    key: string,
    schema: JsonObject,
    value: JsonValue | undefined,
    level: number,
    path: string,
    shown: boolean,
  ): void {
    const item = schema.items as JsonObject | undefined
    if (schema.properties && (value === undefined || isObject(value))) {
      this.object(key, schema, value ?? {}, level, path, shown && value === undefined)
    } else if (value !== undefined) this.value(level, key, value)
    else if (!shown) {
      this.missing.push(path)
      this.line(level, `${key}: # <- give it a value`)
    } else if (item?.properties) {
      // One entry, with what each of its fields means.
      this.line(level, `${key}:`)
      this.line(level + 1, '-')
      this.fields(item, firstOf(schema.example), level + 2, `${path}[0]`, true)
    } else this.value(level, key, exampleOf(schema))
  }
}

/** The default where it says something, else the example. */
function exampleOf(schema: JsonObject): JsonValue {
  const { default: fallback, example } = schema
  const says = fallback !== undefined && (typeof fallback !== 'object' || Object.keys(fallback ?? {}).length > 0)
  const items = schema.items as JsonObject | undefined
  return (says ? fallback : (example ?? (items ? [exampleOf(items)] : undefined))) ?? null
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function firstOf(example: JsonValue | undefined): JsonObject {
  const first = Array.isArray(example) ? (example as readonly JsonValue[])[0] : undefined
  return first !== undefined && isObject(first) ? first : {}
}

/** Quoted where YAML 1.1, which kubectl reads, would take a text for something else. */
const yaml = (value: JsonValue) =>
  stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }).trimEnd()
