import type { JsonObject, JsonValue } from '../../metadata.ts'
import { goJson } from '../go-format.ts'
import { isArray, isObject } from '../json.ts'
import type { ValidationRule } from '../json-schema.ts'
import type { AnySchema, DefinitionVersion } from './types.ts'

/**
 * Values of a definition as Kubernetes shows them in errors: its internal structs as Go's encoding/json writes them, with every
 * field, in the order and by the names of Go.
 */

/** A field: Go's name, the name in JSON, and what is shown for nothing, or how something is shown. */
type Field = readonly [name: string, json: string, show: Show]
type Show = (value: JsonValue | undefined) => string

const orElse =
  (otherwise: string): Show =>
  (value) =>
    value === undefined ? otherwise : goJson(value)
const text = orElse('""')
const bool = orElse('false')
const number = orElse('0')
const pointer = orElse('null')
const struct =
  (fields: () => readonly Field[]): Show =>
  (value) => {
    if (!isObject(value)) return 'null'
    return `{${fields()
      .map(([name, json, show]) => `"${name}":${show(value[json])}`)
      .join(',')}}`
  }
const list =
  (show: Show): Show =>
  (value) =>
    isArray(value) ? `[${value.map(show).join(',')}]` : 'null'
const map =
  (show: Show): Show =>
  (value) => {
    if (!isObject(value)) return 'null'
    const entries = Object.keys(value).sort()
    return `{${entries.map((key) => `${goJson(key)}:${show(value[key])}`).join(',')}}`
  }

const schema = struct(() => SCHEMA)

const schemaOrBool: Show = (value) => {
  if (value === undefined) return 'null'
  return isObject(value) ? `{"Allows":true,"Schema":${schema(value)}}` : `{"Allows":${value === true},"Schema":null}`
}

const schemaOrArray: Show = (value) => {
  if (value === undefined) return 'null'
  return `{"Schema":${isObject(value) ? schema(value) : 'null'},"JSONSchemas":${list(schema)(value)}}`
}

const schemaOrStrings: Show = (value) =>
  `{"Schema":${isObject(value) ? schema(value) : 'null'},"Property":${isArray(value) ? goJson(value) : 'null'}}`

const rule = struct(() => [
  ['Rule', 'rule', text],
  ['Message', 'message', text],
  ['MessageExpression', 'messageExpression', text],
  ['Reason', 'reason', pointer],
  ['FieldPath', 'fieldPath', text],
  ['OptionalOldSelf', 'optionalOldSelf', pointer],
])

/** In the order of Go's struct; the checks of a schema with a status subresource go through it too. */
export const SCHEMA: readonly Field[] = [
  ['ID', 'id', text],
  ['Schema', '$schema', text],
  ['Ref', '$ref', pointer],
  ['Description', 'description', text],
  ['Type', 'type', text],
  ['Nullable', 'nullable', bool],
  ['Format', 'format', text],
  ['Title', 'title', text],
  ['Default', 'default', pointer],
  ['Maximum', 'maximum', pointer],
  ['ExclusiveMaximum', 'exclusiveMaximum', bool],
  ['Minimum', 'minimum', pointer],
  ['ExclusiveMinimum', 'exclusiveMinimum', bool],
  ['MaxLength', 'maxLength', pointer],
  ['MinLength', 'minLength', pointer],
  ['Pattern', 'pattern', text],
  ['MaxItems', 'maxItems', pointer],
  ['MinItems', 'minItems', pointer],
  ['UniqueItems', 'uniqueItems', bool],
  ['MultipleOf', 'multipleOf', pointer],
  ['Enum', 'enum', pointer],
  ['MaxProperties', 'maxProperties', pointer],
  ['MinProperties', 'minProperties', pointer],
  ['Required', 'required', pointer],
  ['Items', 'items', schemaOrArray],
  ['AllOf', 'allOf', list(schema)],
  ['OneOf', 'oneOf', list(schema)],
  ['AnyOf', 'anyOf', list(schema)],
  ['Not', 'not', schema],
  ['Properties', 'properties', map(schema)],
  ['AdditionalProperties', 'additionalProperties', schemaOrBool],
  ['PatternProperties', 'patternProperties', map(schema)],
  ['Dependencies', 'dependencies', map(schemaOrStrings)],
  ['AdditionalItems', 'additionalItems', schemaOrBool],
  ['Definitions', 'definitions', map(schema)],
  [
    'ExternalDocs',
    'externalDocs',
    struct(() => [
      ['Description', 'description', text],
      ['URL', 'url', text],
    ]),
  ],
  ['Example', 'example', pointer],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', pointer],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', bool],
  ['XIntOrString', 'x-kubernetes-int-or-string', bool],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', pointer],
  ['XListType', 'x-kubernetes-list-type', pointer],
  ['XMapType', 'x-kubernetes-map-type', pointer],
  ['XValidations', 'x-kubernetes-validations', list(rule)],
]

const version = struct(() => [
  ['Name', 'name', text],
  ['Served', 'served', bool],
  ['Storage', 'storage', bool],
  ['Deprecated', 'deprecated', bool],
  ['DeprecationWarning', 'deprecationWarning', pointer],
  ['Schema', 'schema', struct(() => [['OpenAPIV3Schema', 'openAPIV3Schema', schema]])],
  [
    'Subresources',
    'subresources',
    struct(() => [
      ['Status', 'status', struct(() => [])],
      [
        'Scale',
        'scale',
        struct(() => [
          ['SpecReplicasPath', 'specReplicasPath', text],
          ['StatusReplicasPath', 'statusReplicasPath', text],
          ['LabelSelectorPath', 'labelSelectorPath', pointer],
        ]),
      ],
    ]),
  ],
  [
    'AdditionalPrinterColumns',
    'additionalPrinterColumns',
    list(
      struct(() => [
        ['Name', 'name', text],
        ['Type', 'type', text],
        ['Format', 'format', text],
        ['Description', 'description', text],
        ['Priority', 'priority', number],
        ['JSONPath', 'jsonPath', text],
      ]),
    ),
  ],
  ['SelectableFields', 'selectableFields', list(struct(() => [['JSONPath', 'jsonPath', text]]))],
])

export const versionsJson = (versions: readonly DefinitionVersion[]): string => list(version)(asJson(versions))
export const schemaJson = (value: AnySchema): string => schema(asJson(value))
export const itemsJson = (value: AnySchema['items']): string => schemaOrArray(value && asJson(value))
export const ruleJson = (value: ValidationRule): string => rule(asJson(value))

/** Types of what was read from JSON, as JSON again. */
function asJson(value: object): JsonObject {
  return value as JsonObject
}
