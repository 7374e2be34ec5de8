import { additionalSchema, type JsonSchema } from '../../validation/json-schema.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  structNamed,
  TIMESTAMP,
} from '../types/type.ts'
import { escapeName } from './escaping.ts'
import type { Structs } from './scope.ts'

/**
 * A schema as expressions see it: its type, and how large its values can get, from which costs are estimated. Sizes count
 * bytes of text, items of lists, entries of maps.
 */
export interface DeclType {
  readonly type: CelType
  /** Fields by their escaped names. */
  readonly fields?: ReadonlyMap<string, DeclType>
  readonly key?: DeclType
  readonly element?: DeclType
  readonly maxElements: number
  /** The fewest bytes a value takes in JSON. */
  readonly minSize: number
}

/** The largest request, in bytes, that costs are estimated for. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024

const MAX_TEXT = MAX_REQUEST_BYTES - 2
const TIME_TEXT = 32
const DATE_TEXT = 12

const simple = (type: CelType, minSize: number, maxElements = 0): DeclType => ({ type, minSize, maxElements })

/**
 * The declaration of a schema, or undefined where expressions cannot see it. `root`: the schema is of a whole object, which
 * always has a kind, an apiVersion, and a name. `name` names struct types uniquely.
 */
export function declType(schema: JsonSchema, root: boolean, name = 'selfType'): DeclType | undefined {
  if (schema['x-kubernetes-int-or-string']) return simple(DYN, 1, maxTextOf(schema, MAX_TEXT))
  const whole = root ? withTypeAndMetadata(schema) : schema
  switch (whole.type) {
    case 'array':
      return listType(whole, name)
    case 'object':
      return objectType(whole, name)
    case 'string':
      return textType(whole)
    case 'boolean':
      return simple(BOOL, 4)
    case 'number':
      return simple(DOUBLE, 1)
    case 'integer':
      return simple(INT, 1)
    default:
      return undefined
  }
}

/** Whether expressions can see values of a schema at all. */
export function isDeclared(schema: JsonSchema): boolean {
  if (schema['x-kubernetes-int-or-string']) return true
  if (schema.type === 'array') return schema.items !== undefined && isDeclared(schema.items)
  const additional = additionalSchema(schema)
  if (schema.type === 'object') return !additional || isDeclared(additional)
  return ['string', 'boolean', 'number', 'integer'].includes(schema.type ?? '')
}

const isEmbedded = (schema: JsonSchema): boolean => schema['x-kubernetes-embedded-resource'] === true

function listType(schema: JsonSchema, name: string): DeclType | undefined {
  if (!schema.items) return undefined
  const element = declType(schema.items, isEmbedded(schema.items), `${name}.@idx`)
  if (!element) return undefined
  const fitting = Math.trunc((MAX_REQUEST_BYTES - 2) / (element.minSize + 1))
  return { type: listOf(element.type), element, minSize: 2, maxElements: atLeastZero(schema.maxItems ?? fitting) }
}

function objectType(schema: JsonSchema, name: string): DeclType | undefined {
  const additional = additionalSchema(schema)
  if (additional) {
    const element = declType(additional, isEmbedded(additional), `${name}.@elem`)
    if (!element) return undefined
    const fitting = Math.trunc((MAX_REQUEST_BYTES - 2) / (element.minSize + 6))
    const maxElements = atLeastZero(schema.maxProperties ?? fitting)
    return { type: mapOf(STRING, element.type), key: simple(STRING, 2), element, minSize: 2, maxElements }
  }
  const fields = new Map<string, DeclType>()
  const required = new Set(schema.required ?? [])
  let minSize = 2
  for (const [property, sub] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeName(property)
    const field = declType(sub, isEmbedded(sub), `${name}.${escaped ?? property}`)
    if (!field) continue
    if (escaped !== undefined) fields.set(escaped, field)
    const given = required.has(property) && (sub.default === undefined || sub.default === null)
    if (given) minSize += Buffer.byteLength(property) + field.minSize + 4
  }
  return { type: structNamed(name), fields, minSize, maxElements: 0 }
}

function textType(schema: JsonSchema): DeclType {
  switch (schema.format) {
    case 'byte':
      return simple(BYTES, 2, atLeastZero(schema.maxLength ?? MAX_TEXT))
    case 'duration':
      return simple(DURATION, 3, TIME_TEXT)
    case 'date':
      return simple(TIMESTAMP, DATE_TEXT, DATE_TEXT)
    case 'date-time':
      return simple(TIMESTAMP, 21, TIME_TEXT)
    default:
      return simple(STRING, 2, maxTextOf(schema, longestEnum(schema) ?? MAX_TEXT))
  }
}

/** maxLength counts code points, of which each may take four bytes. */
function maxTextOf(schema: JsonSchema, otherwise: number): number {
  return schema.maxLength === undefined ? otherwise : atLeastZero(schema.maxLength) * 4
}

function longestEnum(schema: JsonSchema): number | undefined {
  if (!schema.enum || schema.enum.length === 0) return undefined
  return Math.max(0, ...schema.enum.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)))
}

const atLeastZero = (value: number): number => Math.max(0, value)

const TEXT: JsonSchema = { type: 'string' }
const METADATA: JsonSchema = { type: 'object', properties: { name: TEXT, generateName: TEXT } }

/** Of a whole object expressions see apiVersion, kind, metadata.name and metadata.generateName, whatever its schema says. */
export function withTypeAndMetadata(schema: JsonSchema): JsonSchema {
  const known = schema.properties
  const metadata = known?.metadata?.properties
  const complete =
    known?.kind?.type === 'string' &&
    known.apiVersion?.type === 'string' &&
    known.metadata?.type === 'object' &&
    metadata?.name?.type === 'string' &&
    metadata.generateName?.type === 'string'
  if (complete) return schema
  return { ...schema, properties: { ...known, kind: TEXT, apiVersion: TEXT, metadata: METADATA } }
}

/** The fields of every struct type within a declaration, by the type's name. */
export function structsOf(decl: DeclType): Structs {
  const structs = new Map<string, ReadonlyMap<string, CelType>>()
  collect(decl, structs)
  return structs
}

function collect(decl: DeclType, structs: Map<string, ReadonlyMap<string, CelType>>): void {
  if (decl.element) collect(decl.element, structs)
  if (decl.type.kind !== 'struct' || !decl.fields) return
  structs.set(decl.type.name, new Map([...decl.fields].map(([name, field]) => [name, field.type])))
  for (const field of decl.fields.values()) collect(field, structs)
}

/** The most often that a value of a schema could occur in one request, were it within an unbounded list or map. */
export function maxCardinality(minSize: number): number {
  return Math.trunc(MAX_REQUEST_BYTES / (minSize + 1))
}
