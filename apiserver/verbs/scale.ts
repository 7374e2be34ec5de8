import { managerName, trackUpdate } from '../../crds/fieldmanager/track-update.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { Api, Target } from '../api.ts'
import { badRequest, conflict, internalError, notFound } from '../api-error.ts'
import { type ApiObject, asObject, at, isObject, rfc3339, withFields, withMetadata } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import type { Representation } from '../served.ts'
import { getObject } from './get.ts'
import type { WriteOptions } from './options.ts'
import { updateIn } from './update.ts'
import { transact } from './write.ts'

export const scaleApiVersion = 'autoscaling/v1'

/** The Scale of a custom resource. */
export function getScale(api: Api, target: Target, resourceVersion: string): Representation {
  const { value } = getObject(api, target, resourceVersion)
  const paths = scalePaths(target)
  if (typeof at(value, ...steps(paths.specReplicasPath)) !== 'number') {
    throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`)
  }
  return representation(scaleOf(target, value))
}

/** Changes a custom resource through its Scale: `change` gets the Scale there is and returns the one wanted. */
export function updateScale(
  api: Api,
  target: Target,
  change: (scale: ApiObject) => JsonObject,
  options: WriteOptions,
): Promise<Representation> {
  const { served, namespace, name } = target
  return transact(api, options.dryRun, (tx) => {
    const stored = tx.get(served.key(namespace, name))
    if (!stored) throw notFound(served.groupResource, name)
    const live = served.read(stored).value
    const wanted = change(scaleOf(target, live))
    const updated = trackUpdate({
      scope: served.scope('scale'),
      live,
      updated: withReplicas(target, live, wanted),
      manager: managerName(options.fieldManager, options.userAgent),
      now: rfc3339(api.clock.now()),
    })
    return representation(scaleOf(target, updateIn(api, tx, target, stored, asObject(updated), options.dryRun).value))
  })
}

function withReplicas(target: Target, live: ApiObject, scale: JsonObject): ApiObject {
  const { served, name } = target
  if (scale.kind !== 'Scale' || scale.apiVersion !== scaleApiVersion) {
    throw badRequest(`the object must be a Scale of ${scaleApiVersion}`)
  }
  const metadata = isObject(scale.metadata) ? scale.metadata : {}
  if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
  if (typeof metadata.uid === 'string' && metadata.uid !== '' && metadata.uid !== live.metadata.uid) {
    throw conflict(served.groupResource, name, `Precondition failed: UID in precondition: ${metadata.uid}`)
  }
  const replicas = at(scale, 'spec', 'replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
  }
  const changed = setAt(live, steps(scalePaths(target).specReplicasPath), replicas) as JsonObject
  const { resourceVersion } = metadata
  const wanted = typeof resourceVersion === 'string' && resourceVersion !== '' ? resourceVersion : undefined
  return withMetadata(withFields(live, changed), { resourceVersion: wanted ?? live.metadata.resourceVersion })
}

function scaleOf(target: Target, object: ApiObject): ApiObject {
  const paths = scalePaths(target)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const count = (path: string) => {
    const value = at(object, ...steps(path))
    return typeof value === 'number' ? value : 0
  }
  const selector = paths.labelSelectorPath ? at(object, ...steps(paths.labelSelectorPath)) : undefined
  return withFields(
    asObject({
      kind: 'Scale',
      apiVersion: scaleApiVersion,
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as ApiObject['metadata'],
    }),
    {
      spec: { replicas: count(paths.specReplicasPath) },
      status: {
        replicas: count(paths.statusReplicasPath),
        ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
      },
    },
  )
}

function scalePaths({ served }: Target): NonNullable<ResourceInfo['scale']> {
  if (!served.info.scale) throw new Error(`${served.info.plural} have no scale`)
  return served.info.scale
}

/** `.spec.replicas` as steps. */
function steps(path: string): readonly string[] {
  return path.replace(/^\./, '').split('.')
}

function setAt(object: JsonValue | undefined, path: readonly string[], value: JsonValue): JsonValue {
  const [first, ...rest] = path
  if (first === undefined) return value
  const here = isObject(object) ? object : {}
  return { ...here, [first]: setAt(here[first], rest, value) }
}

function representation(value: ApiObject): Representation {
  return { value, json: Buffer.from(JSON.stringify(value)) }
}
