import type { JsonObject } from '../../../crds/metadata.ts'
import { isArray, isObject } from '../../json.ts'
import {
  any,
  bool,
  double,
  type FieldEncoder,
  fields,
  int64,
  type MessageEncoder,
  message,
  named,
  namedField,
  repeated,
  string,
} from './wire.ts'

/**
 * An OpenAPI v2 document as gnostic's `openapi.v2.Document`, which is how clients older than OpenAPI v3 ask for it. Field numbers
 * are those of its OpenAPIv2.proto.
 */
export const documentV2Protobuf: MessageEncoder = fields(
  () => ({
    swagger: [1, string],
    info: [2, message(info)],
    paths: [8, message(paths)],
    definitions: [9, message(named(message(schema)))],
    security: [12, repeated(message(named(stringArray)))],
    securityDefinitions: [13, message(named(message(securityDefinition)))],
  }),
  16,
)

const info = fields(() => ({ title: [1, string], version: [2, string], description: [3, string] }), 7)

const paths: MessageEncoder = (object) =>
  Buffer.concat(Object.entries(object).map(([name, item]) => namedField(name, item, message(pathItem), 2)))

const pathItem = fields(
  () => ({
    get: [2, message(operation)],
    put: [3, message(operation)],
    post: [4, message(operation)],
    delete: [5, message(operation)],
    patch: [8, message(operation)],
    parameters: [9, repeated(message(parametersItem))],
  }),
  10,
)

const operation = fields(
  () => ({
    tags: [1, repeated(string)],
    summary: [2, string],
    description: [3, string],
    operationId: [5, string],
    produces: [6, repeated(string)],
    consumes: [7, repeated(string)],
    parameters: [8, repeated(message(parametersItem))],
    responses: [9, message(responses)],
    schemes: [10, repeated(string)],
    deprecated: [11, bool],
  }),
  13,
)

/** ParametersItem → Parameter → BodyParameter, or NonBodyParameter → one of its kinds. */
const parametersItem: MessageEncoder = (parameter) =>
  message(() => {
    if (parameter.in === 'body') return message(bodyParameter)(parameter, 1)
    const isPath = parameter.in === 'path'
    const kind = isPath ? message(pathParameter) : message(queryParameter)
    return message(() => kind(parameter, isPath ? 4 : 3))({}, 2)
  })({}, 1)

const bodyParameter = fields(
  () => ({
    description: [1, string],
    name: [2, string],
    in: [3, string],
    required: [4, bool],
    schema: [5, message(schema)],
  }),
  6,
)

const queryParameter = fields(
  () => ({
    required: [1, bool],
    in: [2, string],
    description: [3, string],
    name: [4, string],
    type: [6, string],
    format: [7, string],
    uniqueItems: [20, bool],
  }),
  23,
)

const pathParameter = fields(
  () => ({
    required: [1, bool],
    in: [2, string],
    description: [3, string],
    name: [4, string],
    type: [5, string],
    format: [6, string],
    uniqueItems: [19, bool],
  }),
  22,
)

const responses: MessageEncoder = (object) =>
  Buffer.concat(
    Object.entries(object).map(([code, of]) =>
      namedField(
        code,
        of,
        message((value) => message(response)(value, 1)),
        1,
      ),
    ),
  )

const response = fields(
  () => ({ description: [1, string], schema: [2, message((value) => message(schema)(value, 1))] }),
  5,
)

/** `type: string`, or a list of types. */
const typeItem: FieldEncoder = (type, number) =>
  message(() => repeated(string)(isArray(type) ? type : [type], 1))({}, number)

const itemsItem: FieldEncoder = (items, number) =>
  message(() => repeated(message(schema))(isArray(items) ? items : [items], 1))({}, number)

const additionalProperties: FieldEncoder = (of, number) =>
  message(() => (isObject(of) ? message(schema)(of, 1) : bool(of, 2)))({}, number)

const schema: MessageEncoder = fields(
  () => ({
    $ref: [1, string],
    format: [2, string],
    title: [3, string],
    description: [4, string],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, bool],
    minimum: [9, double],
    exclusiveMinimum: [10, bool],
    maxLength: [11, int64],
    minLength: [12, int64],
    pattern: [13, string],
    maxItems: [14, int64],
    minItems: [15, int64],
    uniqueItems: [16, bool],
    maxProperties: [17, int64],
    minProperties: [18, int64],
    required: [19, repeated(string)],
    enum: [20, repeated(any)],
    additionalProperties: [21, additionalProperties],
    type: [22, typeItem],
    items: [23, itemsItem],
    allOf: [24, repeated(message(schema))],
    properties: [25, message(named(message(schema)))],
    externalDocs: [29, message(externalDocs)],
    example: [30, any],
  }),
  31,
)

const externalDocs = fields(() => ({ description: [1, string], url: [2, string] }), 3)

const stringArray: FieldEncoder = (value, number) => message(() => repeated(string)(value, 1))({}, number)

const apiKeySecurity = fields(
  () => ({ type: [1, string], name: [2, string], in: [3, string], description: [4, string] }),
  5,
)

const securityDefinition: MessageEncoder = (definition: JsonObject) => message(apiKeySecurity)(definition, 2)
