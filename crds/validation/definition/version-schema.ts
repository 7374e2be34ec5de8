import { forbidden, invalid, Shown } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, type Path } from '../field-path.ts'
import { CelContext } from './cel-context.ts'
import { defaultErrors } from './default-values.ts'
import { SCHEMA, schemaJson } from './internal-json.ts'
import { type SchemaOptions, schemaErrors } from './schema-checks.ts'
import { asStructural, structuralErrors } from './structural.ts'
import type { AnySchema } from './types.ts'

export interface VersionSchemaOptions extends SchemaOptions {
  readonly requireStructural: boolean
  readonly requirePrunedDefaults: boolean
  /** The kind has a status subresource, whose schema is taken out on its own. */
  readonly hasStatus: boolean
}

/** Everything wrong with the schema of a version (or of all); `path` leads to what contains `openAPIV3Schema`. */
export function versionSchemaErrors(schema: AnySchema, path: Path, options: VersionSchemaOptions): FieldError[] {
  const at = child(path, 'openAPIV3Schema')
  const errors: FieldError[] = []
  if (options.hasStatus) errors.push(...rootErrors(schema, path))
  if (schema.nullable) {
    errors.push(forbidden(child(path, 'openAPIV3Schema.nullable'), 'nullable cannot be true at the root'))
  }
  const checked: Checked = options.requireStructural ? structure(schema, at, options) : { errors: [] }
  errors.push(...checked.errors, ...schemaErrors(schema, at, options, checked.cel))
  if (errors.length === 0 && checked.notStructural !== undefined) errors.push(invalid(at, '', checked.notStructural))
  if (checked.cel) errors.push(...checked.cel.totalErrors(at))
  return errors
}

interface Checked {
  readonly errors: readonly FieldError[]
  /** Why it cannot be structural; only told where nothing else is. */
  readonly notStructural?: string
  /** Rules are only looked at where the structure is right. */
  readonly cel?: CelContext
}

function structure(schema: AnySchema, path: Path, options: VersionSchemaOptions): Checked {
  const structural = asStructural(schema)
  if (!structural.ok) return { errors: [], notStructural: structural.error }
  const errors = structuralErrors(structural.schema, path)
  if (errors.length > 0) return { errors }
  const defaults = defaultErrors(structural.schema, path, options.requirePrunedDefaults)
  return defaults.length > 0 ? { errors: defaults } : { errors: [], cel: CelContext.root() }
}

/** What a schema may say at its root where the status is validated by `properties[status]` alone. */
const AT_ROOT = [
  'Description',
  'Type',
  'Format',
  'Title',
  'Maximum',
  'ExclusiveMaximum',
  'Minimum',
  'ExclusiveMinimum',
  'MaxLength',
  'MinLength',
  'Pattern',
  'MaxItems',
  'MinItems',
  'UniqueItems',
  'MultipleOf',
  'Required',
  'Items',
  'Properties',
  'ExternalDocs',
  'Example',
  'XPreserveUnknownFields',
  'XValidations',
]

function rootErrors(schema: AnySchema, path: Path): FieldError[] {
  const given = new Set(Object.keys(schema))
  for (const [name, json] of SCHEMA) {
    if (!given.has(json)) continue
    if (name === 'Type' && schema.type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      return [invalid(child(path, 'openAPIV3Schema.type'), schema.type, detail)]
    }
    if (!AT_ROOT.includes(name)) {
      const detail = `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`
      return [invalid(child(path, 'openAPIV3Schema'), new Shown(schemaJson(schema)), detail)]
    }
  }
  return []
}
