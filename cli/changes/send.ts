import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { ApiError, isAlreadyExists, isNotFound } from '../../runtime/errors.ts'
import { conflictsOf, mayTake } from './refusal.ts'
import type { Resolved } from './resolve.ts'

type Applied = KubeObject & JsonObject

export interface SendOptions {
  readonly fieldManager: string
  readonly dryRun: boolean
  /** Fields that may be taken over from other managers. */
  readonly take: readonly string[]
  readonly signal: AbortSignal
}

/** Times that an object may change between looking at its conflicts and taking the fields over. */
const TAKE_TRIES = 5

/**
 * Server-side applies one object and gives it as the server has it then. Conflicts are forced only when every one of them is a field
 * that may be taken, and only against the very version of the object in which they were seen: that of `metadata.resourceVersion`, where the
 * object names one. Throws what the client throws.
 */
export async function sendApply(
  client: Client,
  { resource, object }: Pick<Resolved, 'resource' | 'object'>,
  options: SendOptions,
): Promise<Applied> {
  const { fieldManager, dryRun, take, signal } = options
  const common = { fieldManager, dryRun, signal, fieldValidation: 'Strict' as const }
  try {
    return (await client.apply(resource, object, common)) as Applied
  } catch (error) {
    if (take.length === 0 || !takable(error, take)) throw error
  }
  const { name = '', namespace, resourceVersion: only } = object.metadata
  const key = { name, ...(resource.namespaced && namespace ? { namespace } : {}) }
  for (let attempt = 1; ; attempt++) {
    const resourceVersion = only ?? (await client.get(resource, key, { signal })).metadata.resourceVersion!
    const pinned = { ...object, metadata: { ...object.metadata, resourceVersion } }
    try {
      // Whoever has changed the object in between makes the pinned version fail, and its conflicts are looked at again.
      const unforced = await client.apply(resource, pinned, { ...common, dryRun: true }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (unforced !== undefined && !takable(unforced, take)) throw unforced
      return (await client.apply(resource, pinned, { ...common, force: true })) as Applied
    } catch (error) {
      const moved = error instanceof ApiError && error.code === 409 && conflictsOf(error).length === 0
      if (!moved || only !== undefined || attempt >= TAKE_TRIES) throw error
    }
  }
}

function takable(error: unknown, take: readonly string[]): boolean {
  const conflicts = conflictsOf(error)
  return conflicts.length > 0 && conflicts.every(({ field }) => mayTake(field, take))
}

/** An object whose namespace does not exist yet, as it can be tried in one that does; under any name where its own is taken there. */
export function probeOf({ object }: Resolved, ownName: boolean): Applied {
  const { name, namespace: _, ...metadata } = object.metadata
  const naming = ownName ? { name } : { generateName: 'weir-' }
  return { ...object, metadata: { ...metadata, ...naming, namespace: 'default' } } as Applied
}

/** What a probe was made, as it would be in its own place. */
export function fromProbe({ object }: Resolved, made: Applied): Applied {
  const { name, namespace } = object.metadata
  const { generateName: _g, uid: _u, resourceVersion: _r, ...others } = made.metadata
  return { ...made, metadata: { ...others, name, namespace } } as Applied
}

/**
 * Tries an object whose namespace does not exist yet in one that does: what is wrong with the object itself is found before anything is
 * made. Gives the object as it would be made, or undefined where that cannot be told. Throws only what is wrong with it.
 */
export async function tryElsewhere(
  client: Client,
  resolved: Resolved,
  options: Pick<SendOptions, 'fieldManager' | 'signal'>,
): Promise<Applied | undefined> {
  const common = { dryRun: true, fieldValidation: 'Strict' as const, ...options }
  for (const ownName of [true, false]) {
    try {
      const made = await client.create(resolved.resource, probeOf(resolved, ownName), common)
      return fromProbe(resolved, made as Applied)
    } catch (error) {
      if (isItsOwnFault(error)) throw error
      options.signal.throwIfAborted()
      if (!isAlreadyExists(error)) return undefined
    }
  }
  return undefined
}

/** Whether a refusal is about the object rather than about where, or by whom, it was sent. */
export const isItsOwnFault = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.code === 400 || error.code === 422)

/**
 * Whether an object could not be tried because what it lives in is made by the same set: its namespace, or its kind.
 */
export function waitsForSet(error: unknown, { object, late }: Resolved, set: readonly Resolved[]): boolean {
  if (late) return true
  if (!isNotFound(error)) return false
  const { namespace } = object.metadata
  return set.some(
    (other) =>
      other.object.kind === 'Namespace' && other.object.apiVersion === 'v1' && other.object.metadata.name === namespace,
  )
}
