import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { conditions } from '../../crds/reasons.ts'
import { registry } from '../../crds/registry.gen.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Connection } from '../api/connect.ts'
import { type Followed, followUntil, type Verdict } from './follow.ts'
import { healthOf } from './kstatus.ts'

/** An object to wait for. */
export interface Expected extends Followed {
  /** Set: the object of this uid is to be gone; else there is to be one, and healthy. */
  readonly gone?: string
}

/** Told of what happens while it is waited. */
export interface HealthListener {
  onHealthy(expected: Expected): void
  onWaiting(expected: Expected, message: string): void
}

/** Why an object is not as it should be. `stalled`: only a change by a person helps. */
export interface Unhealthy {
  readonly expected: Expected
  readonly message: string
  readonly stalled: boolean
}

/** How long an object has to be stalled before it counts: what it lacks may have been applied just before. */
const STALLED_MS = 3000

/** How long all has to be well after a change: controllers have to hear of it before they can say that something is to be done. */
const SETTLED_MS = 500

/**
 * Waits until every object is `Current`, or gone, all at the same time. Gives those that are not so in time; with the first that is stalled
 * it ends at once. `changed`: whether anything was written.
 */
export async function waitHealthy(
  connection: Connection,
  objects: readonly Expected[],
  timeoutMs: number,
  listener: HealthListener,
  { changed, signal }: { readonly changed: boolean; readonly signal: AbortSignal },
): Promise<readonly Unhealthy[]> {
  const { failed, pending } = await followUntil(connection, objects, {
    timeoutMs,
    signal,
    failAfterMs: STALLED_MS,
    together: true,
    settleMs: changed && objects.some(isObserved) ? SETTLED_MS : 0,
    judge: (object, expected) =>
      expected.gone === undefined ? verdict(object, isObserved(expected)) : goneVerdict(object, expected.gone),
    onMet: (expected) => listener.onHealthy(expected),
    onPending: (expected, message) => listener.onWaiting(expected, message),
  })
  const unhealthy = (stalled: boolean) => (each: (typeof failed)[number]) => ({
    expected: each.followed,
    message: each.message || 'nothing is known of it',
    stalled,
  })
  return [...failed.map(unhealthy(true)), ...pending.map(unhealthy(false))]
}

function verdict(object: (KubeObject & JsonObject) | undefined, observed: boolean): Verdict {
  if (!object) return { type: 'failed', message: 'it has been deleted' }
  const { state, message } = healthOf(object, observed, systemClock.now())
  if (state === 'Current') return { type: 'met' }
  return { type: state === 'Failed' ? 'failed' : 'pending', message }
}

/** Of an object that was told to go: finalizers may hold it, and a new one of its name is another. */
export function goneVerdict(object: KubeObject | undefined, uid: string | undefined): Verdict {
  if (!object || (uid !== undefined && object.metadata.uid !== uid)) return { type: 'met' }
  const finalizers = object.metadata.finalizers?.join(', ') ?? ''
  return { type: 'pending', message: finalizers === '' ? 'it is still there' : `held by ${finalizers}` }
}

/** Weir's kinds that have conditions, as `group/Kind`: their controllers report observedGeneration with them. Others are plain data. */
const observedKinds: ReadonlySet<string> = new Set(
  Object.values<KindInfo>(registry)
    .filter(({ kind }) => Object.keys((conditions as Readonly<Record<string, object>>)[kind] ?? {}).length > 0)
    .map(({ group, kind }) => `${group}/${kind}`),
)

const isObserved = ({ resource }: Followed) => observedKinds.has(`${resource.group}/${resource.kind}`)
