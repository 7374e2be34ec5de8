import { forbidden, invalid, notSupported } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, key, type Path } from '../field-path.ts'
import type { CelContext } from './cel-context.ts'
import { listTypeErrors, mapTypeErrors } from './list-type-checks.ts'
import { ruleFormErrors } from './rule-checks.ts'
import { type AnySchema, itemList, itemSchema, valueSchema } from './types.ts'

/** What is asked of schemas; what an update finds already broken is not asked again. */
export interface SchemaOptions {
  readonly requireValidTypes: boolean
  readonly requireAtomicSets: boolean
  readonly requireMapKeys: boolean
  /** Rules were here before: what one costs is not told again. */
  readonly anyRuleCost: boolean
}

/** How a place within the schema is special. */
interface Place {
  /** Why no default may be given here, where none may. */
  readonly noDefaults: string | undefined
  readonly insideMeta: boolean
  /** The nearest schema above whose values cannot be told from those before an update. */
  readonly uncorrelatable: Path | undefined
}

interface Errors {
  readonly schema: FieldError[]
  readonly cel: FieldError[]
}

const META_FIELDS = new Set(['metadata', 'kind', 'apiVersion'])
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Whether a schema uses a type that OpenAPI does not know. */
export const hasInvalidType = (schema: AnySchema): boolean => !!schema.type && !TYPES.includes(schema.type)

/** Everything wrong with a schema of a whole object. Rules are compiled where `cel` is given and nothing below is wrong. */
export function schemaErrors(
  schema: AnySchema,
  path: Path,
  options: SchemaOptions,
  cel: CelContext | undefined,
): FieldError[] {
  const place: Place = { noDefaults: undefined, insideMeta: false, uncorrelatable: undefined }
  const errors = new SchemaCheck(options).visit(schema, path, place, true, cel)
  return [...errors.schema, ...errors.cel]
}

class SchemaCheck {
  readonly #options: SchemaOptions

  constructor(options: SchemaOptions) {
    this.#options = options
  }

  visit(schema: AnySchema, path: Path, place: Place, isRoot: boolean, cel: CelContext | undefined): Errors {
    const errors: Errors = { schema: this.#standard(schema, path, place), cel: [] }
    const below = (sub: AnySchema, at: Path, where: Place, context?: CelContext): void => {
      const found = this.visit(sub, at, where, false, context)
      errors.schema.push(...found.schema)
      errors.cel.push(...found.cel)
    }
    if (schema.uniqueItems) {
      const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
      errors.schema.push(forbidden(child(path, 'uniqueItems'), detail))
    }
    const inner = cel?.below(schema)
    this.#additional(schema, path, place, errors, (sub, at, where) => below(sub, at, where, inner))
    this.#properties(schema, path, place, isRoot, (sub, at, where) => below(sub, at, where, inner))
    this.#junctors(schema, path, (sub, at) => below(sub, at, place))
    this.#items(schema, path, place, (sub, at, where) => below(sub, at, where, inner))
    for (const [name, sub] of Object.entries(schema.dependencies ?? {})) {
      if (isSchema(sub)) below(sub, key(child(path, 'dependencies'), name), place)
    }
    errors.schema.push(...this.#extensions(schema, path), ...ruleFormErrors(schema, path))
    if (schema['x-kubernetes-validations'] && errors.schema.length === 0 && cel) {
      const options = { anyCost: this.#options.anyRuleCost, uncorrelatable: place.uncorrelatable }
      errors.cel.push(...cel.ruleErrors(schema, path, options))
    }
    return errors
  }

  #additional(
    schema: AnySchema,
    path: Path,
    place: Place,
    errors: Errors,
    below: (sub: AnySchema, at: Path, where: Place) => void,
  ): void {
    if (schema.additionalProperties === undefined) return
    const at = child(path, 'additionalProperties')
    if (schema.properties && schema.additionalProperties !== true) {
      errors.schema.push(forbidden(at, 'additionalProperties and properties are mutual exclusive'))
    }
    const sub = valueSchema(schema)
    const noDefaults = place.insideMeta ? 'inside additionalProperties applying to object metadata' : place.noDefaults
    if (sub) below(sub, at, { ...place, noDefaults })
  }

  #properties(
    schema: AnySchema,
    path: Path,
    place: Place,
    isRoot: boolean,
    below: (sub: AnySchema, at: Path, where: Place) => void,
  ): void {
    for (const [name, sub] of Object.entries(schema.properties ?? {})) {
      const meta = (isRoot || schema['x-kubernetes-embedded-resource'] === true) && META_FIELDS.has(name)
      below(sub, key(child(path, 'properties'), name), {
        insideMeta: place.insideMeta || meta,
        noDefaults: meta && isRoot ? `in top-level ${name}` : place.noDefaults,
        uncorrelatable: place.uncorrelatable,
      })
    }
  }

  /** Rules are not run here, so they are not compiled. */
  #junctors(schema: AnySchema, path: Path, below: (sub: AnySchema, at: Path) => void): void {
    if (schema.not) below(schema.not, child(path, 'not'))
    for (const name of ['allOf', 'oneOf', 'anyOf'] as const) {
      for (const [i, sub] of (schema[name] ?? []).entries()) below(sub, index(child(path, name), i))
    }
    for (const [name, sub] of Object.entries(schema.definitions ?? {})) {
      below(sub, key(child(path, 'definitions'), name))
    }
  }

  /** Only items of lists of type map can be told from those before an update. */
  #items(schema: AnySchema, path: Path, place: Place, below: (sub: AnySchema, at: Path, where: Place) => void): void {
    const keyed = schema['x-kubernetes-list-type'] === 'map'
    const where = { ...place, uncorrelatable: place.uncorrelatable ?? (keyed ? undefined : path) }
    const at = child(path, 'items')
    const one = itemSchema(schema)
    if (one) below(one, at, where)
    for (const [i, sub] of (itemList(schema) ?? []).entries()) below(sub, index(at, i), where)
  }

  #standard(schema: AnySchema, path: Path, place: Place): FieldError[] {
    const errors: FieldError[] = []
    const refuse = (name: keyof AnySchema, detail: string): void => {
      errors.push(forbidden(child(path, name), detail))
    }
    if (this.#options.requireValidTypes && hasInvalidType(schema)) {
      errors.push(notSupported(child(path, 'type'), schema.type, TYPES))
    }
    if (schema.default !== undefined && place.noDefaults !== undefined)
      refuse('default', `must not be set ${place.noDefaults}`)
    for (const name of ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const) {
      if (schema[name] !== undefined) refuse(name, `${name} is not supported`)
    }
    if (schema.type === 'null') refuse('type', 'type cannot be set to null, use nullable as an alternative')
    if (itemList(schema)) refuse('items', 'items must be a schema object and not an array')
    if (place.insideMeta && schema['x-kubernetes-embedded-resource']) {
      refuse('x-kubernetes-embedded-resource', 'must not be used inside of resource meta')
    }
    return errors
  }

  #extensions(schema: AnySchema, path: Path): FieldError[] {
    const errors: FieldError[] = []
    const preserve = 'x-kubernetes-preserve-unknown-fields'
    if (schema[preserve] === false) errors.push(invalid(child(path, preserve), false, 'must be true or undefined'))
    return [
      ...errors,
      ...mapTypeErrors(schema, path),
      ...listTypeErrors(schema, path, this.#options.requireAtomicSets, this.#options.requireMapKeys),
    ]
  }
}

function isSchema(value: AnySchema | readonly string[] | null): value is AnySchema {
  return value !== null && !Array.isArray(value)
}
