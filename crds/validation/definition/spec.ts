import { invalid, required, Shown } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, type Path } from '../field-path.ts'
import { dns1123Subdomain } from '../names.ts'
import { columnErrors, selectableErrors, subresourceErrors } from './columns.ts'
import { choiceErrors, conversionErrors } from './conversion.ts'
import { deprecationProblems } from './deprecation.ts'
import { type InternalSpec, schemasOf } from './internal.ts'
import { versionsJson } from './internal-json.ts'
import { labelErrors, nameErrors, namesErrors } from './names.ts'
import { anywhere, type DefinitionOptions } from './options.ts'
import { asStructural } from './structural.ts'
import type { AnySchema, DefinitionVersion, SelectableField, Subresources } from './types.ts'
import { versionSchemaErrors } from './version-schema.ts'

/** Everything wrong with a definition's spec, but for what an update may not change. */
export function specErrors(spec: InternalSpec, path: Path, asked: DefinitionOptions): FieldError[] {
  const schemas = schemasOf(spec)
  const special = schemas.some((schema) => anywhere(schema, (one) => one.default !== undefined || isExtended(one)))
  const requireStructural = asked.requireStructural || !spec.preserveUnknownFields || special
  const check = new SpecCheck(spec, path, { ...asked, requireStructural })
  return [
    ...groupErrors(spec.group, child(path, 'group')),
    ...choiceErrors(spec.scope, ['Cluster', 'Namespaced'], child(path, 'scope')),
    ...check.missingSchemas(),
    ...check.preserveErrors(schemas),
    ...spec.versions.flatMap((version, i) => check.version(version, index(child(path, 'versions'), i))),
    ...check.versionsErrors(),
    ...check.nameErrors(),
    ...check.shared(),
    ...check.conversion(),
  ]
}

function isExtended(schema: AnySchema): boolean {
  return EXTENSIONS.some((name) => schema[name] !== undefined)
}

const EXTENSIONS = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-validations',
] as const

function groupErrors(group: string, path: Path): FieldError[] {
  if (group === '') return [required(path, '')]
  const problems = dns1123Subdomain(group)
  if (problems.length > 0) return [invalid(path, group, problems.join(','))]
  return group.includes('.') ? [] : [invalid(path, group, 'should be a domain with at least one dot')]
}

class SpecCheck {
  readonly #spec: InternalSpec
  readonly #path: Path
  readonly #asked: DefinitionOptions

  constructor(spec: InternalSpec, path: Path, asked: DefinitionOptions) {
    this.#spec = spec
    this.#path = path
    this.#asked = asked
  }

  /** Every version needs a schema; where they were missing before an update, only what is served does, to be pruned by. */
  missingSchemas(): FieldError[] {
    const { requireSchema } = this.#asked
    const { validation, versions, preserveUnknownFields } = this.#spec
    if (validation?.openAPIV3Schema || (!requireSchema && preserveUnknownFields)) return []
    return versions.flatMap((version, i) => {
      if (version.schema?.openAPIV3Schema || (!requireSchema && !version.served)) return []
      const at = child(index(child(this.#path, 'versions'), i), 'schema')
      const why = requireSchema ? '' : 'because otherwise all fields are pruned'
      return [required(child(at, 'openAPIV3Schema'), why)]
    })
  }

  preserveErrors(schemas: readonly AnySchema[]): FieldError[] {
    if (!this.#spec.preserveUnknownFields) return []
    if (!schemas.some((schema) => anywhere(schema, (one) => one.default !== undefined))) return []
    const at = child(this.#path, 'preserveUnknownFields')
    return [invalid(at, true, 'must be false in order to use defaults in the schema')]
  }

  version(version: DefinitionVersion, path: Path): FieldError[] {
    const errors = nameErrors(version.name, child(path, 'name'))
    for (const problem of deprecationProblems(version)) {
      errors.push(invalid(child(path, 'deprecationWarning'), version.deprecationWarning ?? null, problem))
    }
    const anyOwn = this.#spec.versions.some(({ subresources }) => subresources)
    const subresources = anyOwn ? version.subresources : this.#spec.subresources
    errors.push(...this.#schema(version.schema?.openAPIV3Schema, child(path, 'schema'), subresources, version.name))
    errors.push(...subresourceErrors(version.subresources, child(path, 'subresources')))
    for (const [i, column] of (version.additionalPrinterColumns ?? []).entries()) {
      errors.push(...columnErrors(column, index(child(path, 'additionalPrinterColumns'), i)))
    }
    const { selectableFields = [], schema } = version
    return [...errors, ...this.#selectable(selectableFields, schema?.openAPIV3Schema, path, version.name)]
  }

  #schema(
    schema: AnySchema | undefined,
    path: Path,
    subresources: Subresources | undefined,
    version: string,
  ): FieldError[] {
    if (!schema) return []
    const anyRuleCost = this.#asked.unchangedSchemas.has(version)
    return versionSchemaErrors(schema, path, { ...this.#asked, anyRuleCost, hasStatus: !!subresources?.status })
  }

  #selectable(
    fields: readonly SelectableField[],
    schema: AnySchema | undefined,
    path: Path,
    version: string,
  ): FieldError[] {
    if (fields.length === 0) return []
    const at = child(path, 'selectableFields')
    if (!schema) {
      const detail = 'may only be set when `version.schema.openAPIV3Schema` is not included'
      return [invalid(at, '', version === '' ? 'may only be set when validations.schema is included' : detail)]
    }
    const structural = asStructural(schema)
    if (!structural.ok) return [invalid(child(path, 'schema.openAPIV3Schema'), '', structural.error)]
    return selectableErrors(fields, structural.schema, at, this.#asked.anySelectableCount.has(version))
  }

  versionsErrors(): FieldError[] {
    const { versions, version, noVersions } = this.#spec
    const at = child(this.#path, 'versions')
    const shown = new Shown(noVersions ? 'null' : versionsJson(versions))
    const errors: FieldError[] = []
    if (new Set(versions.map(({ name }) => name)).size < versions.length) {
      errors.push(invalid(at, shown, 'must contain unique version names'))
    }
    if (versions.filter(({ storage }) => storage).length !== 1) {
      errors.push(invalid(at, shown, 'must have exactly one version marked as storage version'))
    }
    return [...errors, ...labelErrors(version, child(this.#path, 'version'))]
  }

  nameErrors(): FieldError[] {
    const { names } = this.#spec
    const at = child(this.#path, 'names')
    const missing = (['plural', 'singular', 'kind', 'listKind'] as const).filter((name) => !names[name])
    return [...missing.map((name) => required(child(at, name), '')), ...namesErrors(names, at)]
  }

  /** What is the same in all versions. */
  shared(): FieldError[] {
    const { subresources, additionalPrinterColumns, selectableFields, validation, versions, version } = this.#spec
    const statusOf = [subresources, ...versions.map((one) => one.subresources)].find((one) => one?.status)
    const columns = child(this.#path, 'additionalPrinterColumns')
    const schema = validation?.openAPIV3Schema
    return [
      ...this.#schema(schema, child(this.#path, 'validation'), statusOf, version),
      ...subresourceErrors(subresources, child(this.#path, 'subresources')),
      ...additionalPrinterColumns.flatMap((column, i) => columnErrors(column, index(columns, i))),
      ...this.#selectable(selectableFields, schema, this.#path, ''),
    ]
  }

  conversion(): FieldError[] {
    const { conversion, preserveUnknownFields } = this.#spec
    const at = child(this.#path, 'conversion')
    const errors: FieldError[] = []
    if (conversion && conversion.strategy !== 'None' && preserveUnknownFields) {
      const detail = 'must be None if spec.preserveUnknownFields is true'
      errors.push(invalid(child(at, 'strategy'), conversion.strategy, detail))
    }
    const { requireKnownReviewVersion: requireKnownVersion, anyCaBundle } = this.#asked
    return [...errors, ...conversionErrors(conversion, at, { requireKnownVersion, anyCaBundle })]
  }
}
