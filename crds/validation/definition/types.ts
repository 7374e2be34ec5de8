import type { JsonObject, JsonValue } from '../../metadata.ts'
import type { JsonSchema } from '../json-schema.ts'

/** A CustomResourceDefinition as `apiextensions.k8s.io/v1` writes it, after it was read. */
export interface Definition {
  readonly metadata?: JsonObject
  readonly spec: DefinitionSpec
  readonly status?: DefinitionStatus
}

export interface DefinitionSpec {
  readonly group: string
  readonly names: DefinitionNames
  readonly scope: string
  readonly versions?: readonly DefinitionVersion[]
  readonly conversion?: Conversion
  readonly preserveUnknownFields?: boolean
}

export interface DefinitionNames {
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly kind: string
  readonly listKind?: string
  readonly categories?: readonly string[]
}

export interface DefinitionVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: VersionSchema
  readonly subresources?: Subresources
  readonly additionalPrinterColumns?: readonly PrinterColumn[]
  readonly selectableFields?: readonly SelectableField[]
}

export interface VersionSchema {
  readonly openAPIV3Schema?: AnySchema
}

/** A schema before it was validated: everything that OpenAPI knows, much of which is refused. */
export interface AnySchema
  extends Omit<JsonSchema, 'items' | 'properties' | 'additionalProperties' | 'allOf' | 'oneOf' | 'anyOf' | 'not'> {
  readonly items?: AnySchema | readonly AnySchema[]
  readonly properties?: Readonly<Record<string, AnySchema>>
  readonly additionalProperties?: AnySchema | boolean
  readonly allOf?: readonly AnySchema[]
  readonly oneOf?: readonly AnySchema[]
  readonly anyOf?: readonly AnySchema[]
  readonly not?: AnySchema
  readonly id?: string
  readonly $schema?: string
  readonly $ref?: string
  readonly patternProperties?: Readonly<Record<string, AnySchema>>
  readonly dependencies?: Readonly<Record<string, AnySchema | readonly string[] | null>>
  readonly additionalItems?: AnySchema | boolean
  readonly definitions?: Readonly<Record<string, AnySchema>>
  readonly externalDocs?: JsonValue
}

export interface Subresources {
  readonly status?: JsonObject
  readonly scale?: {
    readonly specReplicasPath: string
    readonly statusReplicasPath: string
    readonly labelSelectorPath?: string
  }
}

export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}

export interface SelectableField {
  readonly jsonPath: string
}

export interface Conversion {
  readonly strategy: string
  readonly webhook?: {
    readonly clientConfig?: ClientConfig
    readonly conversionReviewVersions?: readonly string[]
  }
}

export interface ClientConfig {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    readonly port?: number
  }
  /** PEM in base64. */
  readonly caBundle?: string
}

export interface DefinitionStatus {
  readonly acceptedNames?: DefinitionNames
  readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  readonly storedVersions?: readonly string[]
}

/** Several schemas for the items, which are refused. */
export function itemList(schema: AnySchema): readonly AnySchema[] | undefined {
  const { items } = schema
  return isList(items) ? items : undefined
}

/** The one schema of all items. */
export function itemSchema(schema: AnySchema): AnySchema | undefined {
  const { items } = schema
  return isList(items) ? undefined : items
}

/** The schema of a field; never one inherited from Object.prototype. */
export function namedProperty({ properties }: AnySchema, name: string): AnySchema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined
}

/** The schema of a map's values. */
export function valueSchema(schema: AnySchema): AnySchema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function isList(items: AnySchema['items']): items is readonly AnySchema[] {
  return Array.isArray(items)
}
