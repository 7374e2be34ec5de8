import { createHash } from 'node:crypto'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { type CustomResourceValidator, compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { type ApiObject, asObject, at, deepEqual, isArray, isObject, withFields } from '../json.ts'
import type { PrinterColumn, ResourceInfo } from '../resource.ts'
import { Served } from '../served.ts'
import { customStrategy } from './custom-strategy.ts'

/** Upstream's verbs of custom resources, in its order. */
const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** Everything that an established CRD serves, one per served version. Its names are the accepted ones. */
export function servedByCrd(crd: ApiObject): readonly Served[] {
  const versions = crdVersions(crd)
  const served = versions.filter((v) => v.served === true)
  const infos = served.map((v) => resourceInfo(crd, v))
  return infos.map((info, i) => {
    const deprecation = deprecationOf(info, served[i])
    const validator = lazily(() => compileCustomResource(validatorType(info)))
    return new Served({
      info,
      versions: infos,
      strategy: customStrategy(info, validator),
      ...(deprecation === undefined ? {} : { deprecation }),
      fromStorage: (value) =>
        value.apiVersion === apiVersion(info) ? value : withFields(value, { apiVersion: apiVersion(info) }),
      upgrade: (value) => upgrade(validator(), value),
    })
  })
}

function deprecationOf({ group, version, kind }: ResourceInfo, of: JsonObject | undefined): string | undefined {
  if (of?.deprecated !== true) return undefined
  return typeof of.deprecationWarning === 'string' ? of.deprecationWarning : `${group}/${version} ${kind} is deprecated`
}

/** A stored object under today's schema: pruned and defaulted, metadata read leniently. */
function upgrade(validator: CustomResourceValidator, value: ApiObject): ApiObject {
  const { object } = validator.decode(value)
  const defaulted = asObject(validator.applyDefaults(object) as ApiObject)
  return deepEqual(defaulted, value) ? value : defaulted
}

export function crdVersions(crd: ApiObject): readonly JsonObject[] {
  const list = at(crd, 'spec', 'versions')
  return isArray(list) ? list.filter(isObject) : []
}

export function hasCondition(crd: ApiObject, type: string): boolean {
  const conditions = at(crd, 'status', 'conditions')
  return isArray(conditions) && conditions.some((c) => isObject(c) && c.type === type && c.status === 'True')
}

export function storageVersion(crd: ApiObject): string {
  return text(crdVersions(crd).find((v) => v.storage === true)?.name)
}

function resourceInfo(crd: ApiObject, version: JsonObject): ResourceInfo {
  const names = at(crd, 'status', 'acceptedNames')
  const group = text(at(crd, 'spec', 'group'))
  const kind = text(at(names, 'kind'))
  const plural = text(at(names, 'plural'))
  const stored = storageVersion(crd)
  const scale = at(version, 'subresources', 'scale')
  const schema = at(version, 'schema', 'openAPIV3Schema')
  return {
    group,
    version: text(version.name),
    kind,
    listKind: text(at(names, 'listKind')) || `${kind}List`,
    plural,
    singular: text(at(names, 'singular')) || kind.toLowerCase(),
    shortNames: texts(at(names, 'shortNames')),
    categories: texts(at(names, 'categories')),
    namespaced: at(crd, 'spec', 'scope') === 'Namespaced',
    verbs,
    storageVersionHash: storageVersionHash(group, stored, kind),
    storageVersion: stored,
    hasStatus: isObject(at(version, 'subresources', 'status')),
    ...(isObject(scale) ? { scale: scalePaths(scale) } : {}),
    ...(isObject(schema) ? { schema } : {}),
    preserveUnknownFields: at(crd, 'spec', 'preserveUnknownFields') === true,
    printerColumns: printerColumns(version),
    selectableFields: selectable(version),
    builtIn: false,
  }
}

/** As Kubernetes computes it, so that clients of both agree: the start of SHA-256 over group/version/kind, in base64. */
export function storageVersionHash(group: string, version: string, kind: string): string {
  const digest = createHash('sha256').update(`${group}/${version}/${kind}`).digest()
  return digest.subarray(0, 8).toString('base64')
}

function scalePaths(scale: JsonObject): NonNullable<ResourceInfo['scale']> {
  return {
    specReplicasPath: text(scale.specReplicasPath),
    statusReplicasPath: text(scale.statusReplicasPath),
    ...(typeof scale.labelSelectorPath === 'string' ? { labelSelectorPath: scale.labelSelectorPath } : {}),
  }
}

const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.',
  jsonPath: '.metadata.creationTimestamp',
}

function printerColumns(version: JsonObject): readonly PrinterColumn[] {
  const columns = version.additionalPrinterColumns
  if (!isArray(columns) || columns.length === 0) return [ageColumn]
  return columns.filter(isObject).map((c) => ({
    name: text(c.name),
    type: text(c.type),
    jsonPath: text(c.jsonPath),
    ...(typeof c.format === 'string' ? { format: c.format } : {}),
    ...(typeof c.description === 'string' ? { description: c.description } : {}),
    ...(typeof c.priority === 'number' ? { priority: c.priority } : {}),
  }))
}

function selectable(version: JsonObject): readonly string[] {
  const fields = version.selectableFields
  if (!isArray(fields)) return []
  return fields.filter(isObject).map((f) => text(f.jsonPath).replace(/^\./, ''))
}

function validatorType(info: ResourceInfo) {
  const { group, version, kind, namespaced, schema, preserveUnknownFields, scale } = info
  return {
    group,
    version,
    kind,
    namespaced,
    preserveUnknownFields,
    ...(schema ? { schema } : {}),
    ...(scale ? { scale } : {}),
  }
}

function apiVersion(info: ResourceInfo): string {
  return `${info.group}/${info.version}`
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((v) => typeof v === 'string') : []
}
