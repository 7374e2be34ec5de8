import { randomInt, randomUUID } from 'node:crypto'
import { managerName, trackUpdate } from '../../crds/fieldmanager/track-update.ts'
import type { Api, Target } from '../api.ts'
import { ApiError, alreadyExists, badRequest, generateNameConflict, invalid } from '../api-error.ts'
import { type ApiObject, asObject, rfc3339, withMetadata } from '../json.ts'
import type { Representation } from '../served.ts'
import type { Transaction } from '../storage/store.ts'
import type { WriteOptions } from './options.ts'
import { put, transact } from './write.ts'

/** Creates an object (decoded). Its name is its own, or generated from generateName. */
export function createObject(
  api: Api,
  target: Target,
  object: ApiObject,
  options: WriteOptions,
): Promise<Representation> {
  if (object.metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  return transact(api, options.dryRun, (tx) => {
    const { served } = target
    let defaulted = served.strategy.applyDefaults(object)
    defaulted = asObject(
      trackUpdate({
        scope: served.scope(''),
        updated: defaulted,
        manager: managerName(options.fieldManager, options.userAgent),
        now: rfc3339(api.clock.now()),
      }),
    )
    return createIn(api, tx, target, defaulted, options.dryRun)
  })
}

/** Creates an object, whose managedFields are right already, inside a transaction. */
export function createIn(
  api: Api,
  tx: Transaction,
  target: Target,
  object: ApiObject,
  dryRun: boolean,
): Representation {
  const { served } = target
  const { strategy } = served
  if (served.terminating) throw terminating(served.groupResource)
  const namespaced = inRequestNamespace(target, object)
  const { key, name } = chooseName(tx, target, namespaced)
  const created = initMetadata(api, strategy.prepareForCreate(namespaced), name)
  const attributes = { operation: 'CREATE', target, name, object: created, dryRun } as const
  // Whether the namespace takes new objects is asked first, as Kubernetes does; policies see only valid objects.
  api.admission.enter(attributes, tx)
  const errors = strategy.validateCreate(created)
  if (errors.length > 0) throw invalid(served.groupKind, name, errors)
  for (const text of strategy.warnings(created)) target.warn(text)
  api.admission.validate(attributes, tx)
  if (tx.get(key)) throw alreadyExists(served.groupResource, name)
  return put(tx, served, key, created, dryRun)
}

function terminating(of: { readonly group: string; readonly resource: string }): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'create not allowed while custom resource definition is terminating', {
    group: of.group || undefined,
    kind: of.resource,
  })
}

/** The object with the namespace of the request; refuses another one. */
export function inRequestNamespace(target: Target, object: ApiObject): ApiObject {
  const wanted = target.served.info.namespaced ? target.namespace : ''
  const has = object.metadata.namespace ?? ''
  if (has === wanted) return object
  if (has !== '' && wanted !== '') {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  return withMetadata(object, { namespace: wanted || undefined })
}

function initMetadata(api: Api, object: ApiObject, name: string): ApiObject {
  return withMetadata(object, {
    name: name || undefined,
    uid: randomUUID(),
    creationTimestamp: rfc3339(api.clock.now()),
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    resourceVersion: undefined,
    ...('selfLink' in object.metadata ? { selfLink: undefined } : {}),
  })
}

/** Letters and digits that spell no words and are not mistaken for each other. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
const maxBase = 63 - 5

function chooseName(tx: Transaction, { served, namespace }: Target, object: ApiObject): { key: string; name: string } {
  const { name = '', generateName = '' } = object.metadata
  if (name !== '' || generateName === '') return { key: served.key(namespace, name), name }
  let tried = ''
  for (let attempt = 0; attempt < 8; attempt++) {
    let suffix = ''
    for (let i = 0; i < 5; i++) suffix += alphabet[randomInt(alphabet.length)]
    tried = generateName.slice(0, maxBase) + suffix
    const key = served.key(namespace, tried)
    if (!tx.get(key)) return { key, name: tried }
  }
  throw generateNameConflict(served.groupResource, tried, 1)
}
