import type { JsonObject } from '../../crds/metadata.ts'
import { invalid } from '../../crds/validation/errors.ts'
import { pathOf } from '../../crds/validation/field-path.ts'
import { nameIsDnsLabel, qualifiedName } from '../../crds/validation/names.ts'
import { type ApiObject, at, isArray, withFields, withMetadata } from '../json.ts'
import { type BuiltInKind, withFieldOf } from './built-in.ts'

export const namespaceFinalizer = 'kubernetes'
const nameLabel = 'kubernetes.io/metadata.name'
/** Namespaces that the system needs. */
const undeletable = ['default', 'kube-system', 'kube-public']

export const namespace: BuiltInKind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  nameCheck: nameIsDnsLabel,
  selectableFields: ['status.phase'],
  defaults: withNameLabel,
  validate: (object) =>
    namespaceFinalizers(object).flatMap((f) =>
      qualifiedName(f).map((m) => invalid(pathOf(['spec', 'finalizers']), f, m)),
    ),
  validateStatus: phaseErrors,
  strategy: {
    prepareForCreate(object) {
      const finalizers = namespaceFinalizers(object)
      const spec = {
        finalizers: finalizers.includes(namespaceFinalizer) ? finalizers : [...finalizers, namespaceFinalizer],
      }
      return withNameLabel(withFields(object, { spec, status: { phase: 'Active' } }))
    },
    prepareForUpdate: (object, old) => withFieldOf(withFieldOf(object, old, 'spec'), old, 'status'),
    prepareForStatusUpdate: (object, old) => withFieldOf(object, old, 'spec'),
    prepareForFinalize: (object, old) => withFieldOf(object, old, 'status'),
    beginDelete(object) {
      if (namespaceFinalizers(object).length === 0) return undefined
      if (object.metadata.deletionTimestamp) return object
      return withFields(object, { status: { ...(object.status as JsonObject), phase: 'Terminating' } })
    },
    finished: (object) => namespaceFinalizers(object).length === 0,
    refuseDelete: (object) =>
      undeletable.includes(object.metadata.name ?? '') ? 'this namespace may not be deleted' : undefined,
    returnsDeleted: true,
  },
}

export function namespaceFinalizers(object: ApiObject): readonly string[] {
  const list = at(object, 'spec', 'finalizers')
  return isArray(list) ? list.filter((f) => typeof f === 'string') : []
}

/** Every namespace carries its name as a label, so that selectors can name it. */
function withNameLabel(object: ApiObject): ApiObject {
  const { name, labels } = object.metadata
  if (!name || labels?.[nameLabel] === name) return object
  return withMetadata(object, { labels: { ...labels, [nameLabel]: name } })
}

function phaseErrors(object: ApiObject) {
  const phase = at(object, 'status', 'phase')
  const deleting = object.metadata.deletionTimestamp !== undefined
  if (phase === (deleting ? 'Terminating' : 'Active')) return []
  const only = deleting
    ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
    : "may only be 'Active' if `deletionTimestamp` is empty"
  return [invalid(pathOf(['status', 'Phase']), phase, only)]
}
