import { jsonEqual } from '../json.ts'
import { hasKnownVersion, isPem } from './conversion.ts'
import { hasUnprunedDefaults } from './default-values.ts'
import { type InternalSpec, internalSpec, schemasOf } from './internal.ts'
import { hasLooseMapKeys, hasNonAtomicSet } from './list-type-checks.ts'
import { hasInvalidType } from './schema-checks.ts'
import { asStructural, structuralErrors } from './structural.ts'
import { type AnySchema, type Definition, itemList, itemSchema, valueSchema } from './types.ts'

/** What is asked of a definition. An update need not repair what was accepted before. */
export interface DefinitionOptions {
  readonly requireKnownReviewVersion: boolean
  readonly requireImmutableNames: boolean
  readonly requireSchema: boolean
  readonly requireValidTypes: boolean
  readonly requireStructural: boolean
  readonly requirePrunedDefaults: boolean
  readonly requireAtomicSets: boolean
  readonly requireMapKeys: boolean
  readonly anyCaBundle: boolean
  /** Versions whose schema is as it was: what their rules cost is not told again. */
  readonly unchangedSchemas: ReadonlySet<string>
  /** Versions, or '' for all, that have too many selectable fields already. */
  readonly anySelectableCount: ReadonlySet<string>
}

/** All that is asked of a new definition. */
export const NEW_DEFINITION: DefinitionOptions = {
  requireKnownReviewVersion: true,
  requireImmutableNames: false,
  requireSchema: true,
  requireValidTypes: true,
  requireStructural: true,
  requirePrunedDefaults: true,
  requireAtomicSets: true,
  requireMapKeys: true,
  // Nobody calls the webhook before the definition is established.
  anyCaBundle: true,
  unchangedSchemas: new Set(),
  anySelectableCount: new Set(),
}

/** What is asked of an update. */
export function updateOptions(definition: Definition, old: Definition): DefinitionOptions {
  const spec = internalSpec(old.spec)
  const established = isEstablished(old)
  const has = (test: (schema: AnySchema) => boolean): boolean => schemasOf(spec).some((one) => anywhere(one, test))
  const bundle = spec.conversion?.webhook?.clientConfig?.caBundle ?? ''
  return {
    requireKnownReviewVersion: hasKnownVersion(spec.conversion?.webhook?.conversionReviewVersions ?? []),
    requireImmutableNames: established,
    requireSchema: allHaveSchemas(spec),
    requireValidTypes: !has(hasInvalidType),
    requireStructural: schemasOf(spec).every(isStructural),
    requirePrunedDefaults: !schemasOf(spec).some(isUnpruned),
    requireAtomicSets: !has(hasNonAtomicSet),
    requireMapKeys: !has(hasLooseMapKeys),
    anyCaBundle: !established || (bundle !== '' && !isPem(bundle)),
    unchangedSchemas: unchangedSchemas(definition, old),
    anySelectableCount: tooManySelectable(definition, old),
  }
}

function isEstablished(definition: Definition): boolean {
  return (definition.status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True')
}

function allHaveSchemas(spec: InternalSpec): boolean {
  return !!spec.validation?.openAPIV3Schema || spec.versions.every((version) => version.schema?.openAPIV3Schema)
}

function isStructural(schema: AnySchema): boolean {
  const structural = asStructural(schema)
  return structural.ok && structuralErrors(structural.schema, undefined).length === 0
}

function isUnpruned(schema: AnySchema): boolean {
  const structural = asStructural(schema)
  return structural.ok && structuralErrors(structural.schema, undefined).length === 0
    ? hasUnprunedDefaults(structural.schema)
    : false
}

function unchangedSchemas(definition: Definition, old: Definition): Set<string> {
  const before = new Map((old.spec.versions ?? []).map((version) => [version.name, version.schema]))
  const unchanged = (definition.spec.versions ?? []).filter(
    ({ name, schema }) => before.has(name) && jsonEqual(asJson(schema), asJson(before.get(name))),
  )
  return new Set(unchanged.map(({ name }) => name))
}

const MOST_SELECTABLE = 8

function tooManySelectable(definition: Definition, old: Definition): Set<string> {
  const [spec, before] = [internalSpec(definition.spec), internalSpec(old.spec)]
  const names = new Set<string>()
  const same = (a: unknown, b: unknown): boolean => jsonEqual(asJson(a), asJson(b))
  if (before.selectableFields.length > MOST_SELECTABLE && same(spec.selectableFields, before.selectableFields)) {
    names.add('')
  }
  for (const version of spec.versions) {
    const fields = before.versions.find(({ name }) => name === version.name)?.selectableFields ?? []
    if (fields.length > MOST_SELECTABLE && same(version.selectableFields, fields)) names.add(version.name)
  }
  return names
}

/** Whether a schema, or any below it, is such. */
export function anywhere(schema: AnySchema, test: (schema: AnySchema) => boolean): boolean {
  return test(schema) || below(schema).some((sub) => anywhere(sub, test))
}

function below(schema: AnySchema): AnySchema[] {
  const { not, additionalItems } = schema
  const maps = [schema.properties, schema.patternProperties, schema.definitions]
  const lists = [itemList(schema), schema.allOf, schema.anyOf, schema.oneOf]
  const ones = [itemSchema(schema), not, valueSchema(schema), additionalItems]
  return [
    ...ones.filter((one): one is AnySchema => typeof one === 'object'),
    ...lists.flatMap((list) => list ?? []),
    ...maps.flatMap((map) => Object.values(map ?? {})),
  ]
}

function asJson(value: unknown): Parameters<typeof jsonEqual>[0] {
  return value as Parameters<typeof jsonEqual>[0]
}
