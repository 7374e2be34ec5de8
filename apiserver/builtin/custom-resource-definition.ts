import type { JsonObject } from '../../crds/metadata.ts'
import {
  customResourceDefinitionWarnings,
  decodeCustomResourceDefinition,
  defaultCustomResourceDefinition,
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatus,
} from '../../crds/validation/crd.ts'
import { crdVersions, storageVersion } from '../custom/from-crd.ts'
import { type ApiObject, asObject, at, deepEqual, isArray, withFields, withMetadata } from '../json.ts'
import { type BuiltInKind, withFieldOf } from './built-in.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export const customResourceDefinition: BuiltInKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  counted: true,
  defaults: (object) => asObject(defaultCustomResourceDefinition(object as JsonObject) as unknown as ApiObject),
  printerColumns: [
    {
      name: 'Created At',
      type: 'date',
      description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
      jsonPath: '.metadata.creationTimestamp',
    },
  ],
  strategy: {
    decode(object) {
      const decoded = decodeCustomResourceDefinition(object)
      return { ...decoded, object: asObject(decoded.object as unknown as ApiObject) }
    },
    prepareForCreate: (object) =>
      withMetadata(withStoredVersion(withFields(object, { status: {} })), { generation: 1 }),
    prepareForUpdate(object, old) {
      const kept = withStoredVersion(withFieldOf(object, old, 'status'))
      if (deepEqual(kept.spec, old.spec)) return kept
      return withMetadata(kept, { generation: (old.metadata.generation ?? 0) + 1 })
    },
    validateCreate: (object) => validateCustomResourceDefinition(object),
    validateUpdate: (object, old) => validateCustomResourceDefinition(object, old),
    validateStatusUpdate: (object, old) => validateCustomResourceDefinitionStatus(object, old),
    warnings: (object, old) => customResourceDefinitionWarnings(object, old),
    beginDelete(object) {
      const finalizers = object.metadata.finalizers ?? []
      if (object.metadata.deletionTimestamp) return finalizers.length > 0 ? object : undefined
      return withMetadata(object, { finalizers: [...new Set([...finalizers, cleanupFinalizer])] })
    },
    allowUnconditionalUpdate: false,
  },
}

/** status.storedVersions names every version that objects may be stored in: the storage version is one from the start. */
function withStoredVersion(crd: ApiObject): ApiObject {
  const version = storageVersion(crd)
  const stored = at(crd, 'status', 'storedVersions')
  const list = isArray(stored) ? stored : []
  if (version === '' || crdVersions(crd).length === 0 || list.includes(version)) return crd
  return withFields(crd, { status: { ...(crd.status as JsonObject), storedVersions: [...list, version] } })
}
