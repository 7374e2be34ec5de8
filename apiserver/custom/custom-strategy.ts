import type { CustomResourceValidator } from '../../crds/validation/custom-resource.ts'
import { type ApiObject, asObject, at, deepEqual, withFields, withMetadata, without } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import type { Strategy } from '../strategy.ts'

/** How custom resources of one version behave. `validator` is compiled on first use: many CRDs are never written to. */
export function customStrategy(info: ResourceInfo, validator: () => CustomResourceValidator): Strategy {
  return {
    decode: (object) => validator().decode(object),
    applyDefaults: (object) => asObject(validator().applyDefaults(object) as ApiObject),
    prepareForCreate(object) {
      const bare = info.hasStatus ? without(object, 'status') : object
      return withMetadata(bare, { generation: 1 })
    },
    prepareForUpdate(object, old) {
      const kept = info.hasStatus ? withStatus(object, old.status) : object
      const changed = !equalExcept(kept, old, info.hasStatus)
      const generation = old.metadata.generation ?? 1
      return withMetadata(kept, { generation: changed ? generation + 1 : generation })
    },
    prepareForStatusUpdate(object, old) {
      return withMetadata(withStatus(old, object.status), { managedFields: object.metadata.managedFields })
    },
    validateCreate: (object) => validator().validateCreate(object),
    validateUpdate: (object, old) => validator().validateUpdate(object, old),
    validateStatusUpdate: (object, old) => validator().validateStatusUpdate(object, old),
    warnings: (object, old) => validator().warnings(object, old),
    selectableField: (object, field) => customField(info, object, field),
    fieldSelectorError: (field) =>
      isMetadataField(info, field) || info.selectableFields.includes(field)
        ? undefined
        : `field label not supported: ${field}`,
    allowUnconditionalUpdate: false,
    allowCreateOnUpdate: false,
    finished: () => true,
    orphansByDefault: false,
    returnsDeleted: false,
    strategicMerge: false,
  }
}

function withStatus(object: ApiObject, status: ApiObject[string]): ApiObject {
  return status === undefined ? without(object, 'status') : withFields(object, { status })
}

/** Whether two objects are the same but for metadata, and for status where that is a subresource. */
function equalExcept(a: ApiObject, b: ApiObject, status: boolean): boolean {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (key === 'metadata' || (status && key === 'status')) continue
    if (!deepEqual(a[key], b[key])) return false
  }
  return true
}

function isMetadataField(info: ResourceInfo, field: string): boolean {
  return field === 'metadata.name' || (info.namespaced && field === 'metadata.namespace')
}

function customField(info: ResourceInfo, object: ApiObject, field: string): string | undefined {
  if (field === 'metadata.name') return object.metadata.name ?? ''
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  if (!info.selectableFields.includes(field)) return undefined
  const value = at(object, ...field.split('.'))
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}
