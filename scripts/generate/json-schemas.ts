import type { JsonObject } from '../../crds/metadata.ts'
import type { Crd, CrdFile, Schema } from './crd.ts'
import { objectMeta } from './json-schema-metadata.ts'

/**
 * `crds/schemas/`: JSON Schemas (draft-07, which every YAML editor understands) for manifests.
 *
 * - `<group>/<kind>_<version>.json`, the layout in which editors and kubeconform look for custom resources: one kind.
 * - `weir.json`: whatever of Weir's the document says that it is; other APIs' documents are let be.
 * - `index.json`: what there is, in the form of SchemaStore's catalog, with URLs relative to itself.
 *
 * They refuse nothing that the API takes, except nulls that it would drop, and let pass what only CEL rules can tell.
 */
export function generateJsonSchemas(crds: readonly CrdFile[]): [string, string][] {
  const kinds = crds.map(({ crd }) => ({ crd, file: schemaFile(crd), schema: kindSchema(crd) }))
  const file = (name: string, value: unknown): [string, string] => [
    `crds/schemas/${name}`,
    `${JSON.stringify(value, null, 2)}\n`,
  ]
  return [
    ...kinds.map((kind) => file(kind.file, { $schema: DRAFT, $comment: GENERATED, ...kind.schema })),
    file('weir.json', combined(kinds)),
    file('index.json', {
      version: 1,
      schemas: [
        { name: 'Weir', description: 'Manifests of any of Weir’s kinds', url: 'weir.json' },
        ...kinds.map(({ crd, file: url, schema }) => ({ name: schema.title, description: summary(crd), url })),
      ],
    }),
  ]
}

const DRAFT = 'http://json-schema.org/draft-07/schema#'
const GENERATED = 'Generated from the CustomResourceDefinition by `npm run generate`. Do not edit.'

interface Kind {
  readonly crd: Crd
  readonly schema: JsonObject
}

/** Where a kind's schema is, from the folder of schemas. */
export function schemaFile({ spec }: Crd): string {
  return `${spec.group}/${spec.names.kind.toLowerCase()}_${spec.versions[0].name}.json`
}

const apiVersionOf = ({ spec }: Crd) => `${spec.group}/${spec.versions[0].name}`

function summary({ spec }: Crd): string {
  return (spec.versions[0].schema.openAPIV3Schema.description ?? '').trim().replaceAll('\n', ' ')
}

function kindSchema(crd: Crd): JsonObject {
  const { names, scope, versions } = crd.spec
  const { properties, required = [], ...rest } = translate(versions[0].schema.openAPIV3Schema)
  return {
    title: `${names.kind} (${apiVersionOf(crd)})`,
    ...rest,
    required: ['apiVersion', 'kind', 'metadata', ...(required as readonly string[])],
    properties: {
      apiVersion: { description: 'The version of the API that this object is written in.', const: apiVersionOf(crd) },
      kind: { description: 'What kind of object this is.', const: names.kind },
      metadata: objectMeta(scope === 'Namespaced'),
      ...(properties as JsonObject),
    },
    additionalProperties: false,
  }
}

/** Chooses by apiVersion and kind. Of a group of Weir's there are no other kinds. */
function combined(kinds: readonly Kind[]): unknown {
  const groups = Map.groupBy(kinds, ({ crd }) => apiVersionOf(crd))
  const isOf = (properties: JsonObject) => ({ required: Object.keys(properties), properties })
  return {
    $schema: DRAFT,
    $comment: GENERATED,
    title: 'Weir',
    description: 'A manifest of any of Weir’s kinds. Other APIs’ objects are not looked into.',
    type: 'object',
    allOf: [...groups].flatMap(([apiVersion, members]) => [
      {
        if: isOf({ apiVersion: { const: apiVersion } }),
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema's
        then: { required: ['kind'], properties: { kind: { enum: members.map(({ crd }) => crd.spec.names.kind) } } },
      },
      ...members.map(({ crd }) => ({
        if: isOf({ apiVersion: { const: apiVersion }, kind: { const: crd.spec.names.kind } }),
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema's
        then: { $ref: `#/definitions/${crd.spec.names.kind}` },
      })),
    ]),
    definitions: Object.fromEntries(kinds.map(({ crd, schema }) => [crd.spec.names.kind, schema])),
  }
}

/** A schema of a CRD as JSON Schema draft-07. */
export function translate(schema: Schema): JsonObject {
  const rules = schema['x-kubernetes-validations'] ?? []
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true
  const pattern = schema.pattern ?? rules.map(({ rule }) => patternOf(rule)).find((found) => found !== undefined)
  const message = schema.pattern ? undefined : rules.find(({ rule }) => patternOf(rule) !== undefined)?.message
  const { minimum, maximum } = schema
  const description = [schema.description?.trim(), ...rules.flatMap(({ message: rule }) => demand(rule))]
    .join('\n\n')
    .trim()
  const translated: Record<string, unknown> = {
    type: typeOf(schema),
    description: description || undefined,
    ...(schema.default !== undefined && { default: schema.default }),
    ...(schema.example !== undefined && { examples: [schema.example] }),
    ...(schema.enum && { enum: schema.nullable ? [...schema.enum, null] : schema.enum }),
    ...(pattern !== undefined && { pattern }),
    // Understood by the language server of VS Code and others; it says more than the pattern.
    ...(message !== undefined && { patternErrorMessage: message }),
    ...(schema.format === 'date-time' && { format: 'date-time' }),
    ...bound('minimum', 'exclusiveMinimum', minimum ?? INTEGERS[schema.format ?? '']?.[0], schema.exclusiveMinimum),
    ...bound('maximum', 'exclusiveMaximum', maximum ?? INTEGERS[schema.format ?? '']?.[1], schema.exclusiveMaximum),
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    minItems: schema.minItems,
    maxItems: schema.maxItems,
    minProperties: schema.minProperties,
    maxProperties: schema.maxProperties,
    uniqueItems: schema['x-kubernetes-list-type'] === 'set' ? true : undefined,
    items: schema.items && translate(schema.items),
    required: schema.required,
    properties:
      schema.properties &&
      Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, translate(field)])),
    additionalProperties: schema.additionalProperties
      ? translate(schema.additionalProperties)
      : schema.properties && !open
        ? false
        : undefined,
  }
  return JSON.parse(JSON.stringify(translated)) as JsonObject
}

const INTEGERS: Readonly<Record<string, readonly [number, number]>> = { int32: [-(2 ** 31), 2 ** 31 - 1] }

function typeOf(schema: Schema): unknown {
  if (schema['x-kubernetes-int-or-string']) return ['integer', 'string', ...(schema.nullable ? ['null'] : [])]
  return schema.nullable && schema.type ? [schema.type, 'null'] : schema.type
}

/** Draft-04's boolean `exclusiveMinimum` is draft-07's number. */
function bound(
  name: string,
  exclusiveName: string,
  value: number | undefined,
  exclusive: boolean | undefined,
): JsonObject {
  return value === undefined ? {} : { [exclusive ? exclusiveName : name]: value }
}

/**
 * The regular expression that a rule certainly demands of a string, where there is one that JavaScript reads as RE2 does: `self.matches('…')`,
 * alone or with more demands after it.
 */
function patternOf(rule: string): string | undefined {
  const [, pattern, rest = ''] = /^\s*self\.matches\('([^'\\]*)'\)\s*(?:&&(.*))?$/s.exec(rule) ?? []
  if (pattern === undefined || /\|\||\?/.test(rest) || /\(\?|\[\[/.test(pattern)) return undefined
  return pattern
}

/** What a rule's message demands, as a sentence; one that only names the mistake says nothing to who has not made it. */
const demand = (message: string) =>
  / twice$/.test(message) ? [] : [`${message[0]!.toUpperCase()}${message.slice(1)}.`]
