import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { ResourceInfo } from '../resource.ts'
import { builtInColumns } from './built-in-columns.ts'
import type { Columns } from './columns.ts'
import { customColumns } from './custom-columns.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableOptions {
  /** What each row carries of its object. */
  readonly includeObject: IncludeObject
  /** `g/v` asked for: `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`. */
  readonly apiVersion: string
  /** Of a list. */
  readonly listMetadata?: JsonObject
  /** Watch events after the first carry no columns. */
  readonly noHeaders?: boolean
  /** For ages, which the server prints. */
  readonly now: Date
}

const columns = new WeakMap<ResourceInfo, Columns>()

/** meta.k8s.io Table of a list (with the list's metadata), of one object, or of one watch event's object. */
export function toTable(resource: ResourceInfo, objects: readonly KubeObject[], options: TableOptions): JsonObject {
  const { includeObject, apiVersion, listMetadata, noHeaders, now } = options
  const { definitions, cells } = columnsOf(resource)
  const version = listMetadata ? undefined : objects[0]?.metadata.resourceVersion
  return {
    kind: 'Table',
    apiVersion,
    metadata: listMetadata ?? { ...(version !== undefined && { resourceVersion: version }) },
    columnDefinitions: noHeaders ? null : definitions.map((definition) => ({ ...definition })),
    rows: objects.map((object) => ({ cells: cells(object, now), object: included(object, includeObject, apiVersion) })),
  }
}

function columnsOf(resource: ResourceInfo): Columns {
  let known = columns.get(resource)
  if (!known) {
    known = resource.builtIn ? builtInColumns(resource) : customColumns(resource.printerColumns)
    columns.set(resource, known)
  }
  return known
}

function included(object: KubeObject, include: IncludeObject, apiVersion: string): JsonObject | null {
  switch (include) {
    case 'None':
      return null
    case 'Object':
      return object as unknown as JsonObject
    case 'Metadata':
      return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata as JsonObject }
  }
}
