import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { isForbidden, isUnauthorized } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'

type Body = KubeObject & JsonObject

/** An object to follow; it need not exist. */
export interface Followed {
  readonly resource: ServedResource
  readonly namespace?: string
  readonly name: string
}

export type Verdict =
  | { readonly type: 'met' }
  /** Only somebody's change can help: there is no use in waiting. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'pending'; readonly message: string }

export interface FollowOptions<F extends Followed> {
  /** Judges an object as it is now; undefined: it is not there. */
  readonly judge: (object: Body | undefined, followed: F) => Verdict
  /** 0: look once. */
  readonly timeoutMs: number
  /** How long an object has to be failed without a break before it ends the waiting: its controller may not have seen everything yet. */
  readonly failAfterMs?: number
  readonly signal: AbortSignal
  /** All have to be met at the same time: one that was may be so no more, because of what has happened to others since. */
  readonly together?: boolean
  /** How long all have to be met, with `together`. */
  readonly settleMs?: number
  /** Called when an object is met: once, or with `together` each time. */
  readonly onMet: (followed: F) => void
  /** Called when what an object waits for changes. */
  readonly onPending?: (followed: F, message: string) => void
}

export interface FollowResult<F extends Followed> {
  readonly met: readonly F[]
  readonly failed: readonly { readonly followed: F; readonly message: string }[]
  readonly pending: readonly { readonly followed: F; readonly message: string }[]
}

/** How often it is looked whether the server refuses to be watched. */
const LOOK_MS = 500

/**
 * Watches objects until each is met or failed, the time is over, or the first has failed. Rejects with the signal's reason when
 * interrupted, and with what the client threw where objects could not be followed.
 */
export async function followUntil<F extends Followed>(
  connection: Connection,
  followed: readonly F[],
  options: FollowOptions<F>,
): Promise<FollowResult<F>> {
  if (followed.length === 0) return { met: [], failed: [], pending: [] }
  const verdicts = new Map<F, Verdict>(followed.map((each) => [each, { type: 'pending', message: '' }]))
  const ended = Promise.withResolvers<void>()
  let left = followed.length
  let settling: NodeJS.Timeout | undefined
  const failing = new Map<F, NodeJS.Timeout>()
  const caches = groups(followed).map(({ members, ...selection }) => {
    const cache = new Cache<Body>({ client: connection.client, ...selection })
    const byKey = Map.groupBy(members, keyOf)
    cache.onChange(({ key }) => {
      if (cache.synced) for (const each of byKey.get(key) ?? []) judge(each, cache.get(key))
    })
    const judgeAll = () => {
      for (const each of members) judge(each, cache.get(keyOf(each)))
    }
    return { cache, judgeAll }
  })
  const judge = (each: F, object: Body | undefined) => {
    const before = verdicts.get(each)!
    if (before.type === 'met' && !options.together) return
    let verdict: Verdict
    try {
      verdict = options.judge(object, each)
    } catch (error) {
      ended.reject(error)
      return
    }
    verdicts.set(each, verdict)
    if (verdict.type === 'met' && before.type !== 'met') options.onMet(each)
    else if (verdict.type === 'pending' && (before.type !== 'pending' || before.message !== verdict.message))
      options.onPending?.(each, verdict.message)
    if (verdict.type !== 'failed') {
      clearTimeout(failing.get(each))
      failing.delete(each)
    } else if (!options.failAfterMs) ended.resolve()
    else if (!failing.has(each)) failing.set(each, setTimeout(ended.resolve, options.failAfterMs))
    left += Number(before.type === 'met') - Number(verdict.type === 'met')
    if (left > 0) {
      clearTimeout(settling)
      settling = undefined
    } else if (!options.settleMs) ended.resolve()
    else settling ??= setTimeout(ended.resolve, options.settleMs)
  }
  const onAbort = () => ended.reject(options.signal.reason)
  if (options.signal.aborted) onAbort()
  options.signal.addEventListener('abort', onAbort, { once: true })
  const timer = options.timeoutMs === 0 ? undefined : setTimeout(ended.resolve, options.timeoutMs)
  // A cache that may not look tries again for ever; there is no use in waiting for that.
  const refused = setInterval(() => {
    const error = caches.map(({ cache }) => cache.error).find((each) => isForbidden(each) || isUnauthorized(each))
    if (error) ended.reject(error)
  }, LOOK_MS)
  try {
    for (const { cache } of caches) cache.start()
    const looked = caches.map(({ cache, judgeAll }) => cache.waitForSync(options.signal).then(judgeAll))
    Promise.all(looked).then(() => options.timeoutMs === 0 && ended.resolve(), ended.reject)
    await ended.promise
    const blind = caches.find(({ cache }) => cache.error)?.cache.error
    if (left > 0 && failing.size === 0 && blind) throw blind
    // Now, before anything else is heard of.
    return sorted(verdicts)
  } finally {
    clearInterval(refused)
    clearTimeout(timer)
    clearTimeout(settling)
    for (const each of failing.values()) clearTimeout(each)
    options.signal.removeEventListener('abort', onAbort)
    await Promise.all(caches.map(({ cache }) => cache.close()))
  }
}

function sorted<F extends Followed>(verdicts: ReadonlyMap<F, Verdict>): FollowResult<F> {
  const met: F[] = []
  const failed: { followed: F; message: string }[] = []
  const pending: { followed: F; message: string }[] = []
  for (const [followed, verdict] of verdicts) {
    if (verdict.type === 'met') met.push(followed)
    else (verdict.type === 'failed' ? failed : pending).push({ followed, message: verdict.message })
  }
  return { met, failed, pending }
}

interface Group<F> {
  readonly resource: Resource<Body>
  readonly namespace?: string
  readonly fieldSelector?: string
  readonly members: readonly F[]
}

/** One watch per resource and namespace; of one object alone, of that object. */
function groups<F extends Followed>(followed: readonly F[]): Group<F>[] {
  const byPlace = Map.groupBy(
    followed,
    ({ resource, namespace }) => `${resource.group}/${resource.plural}/${namespace ?? ''}`,
  )
  return [...byPlace.values()].map((members) => {
    const [{ resource, namespace, name }] = members as [F]
    return {
      resource: resource as Resource<Body>,
      members,
      ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
      ...(members.length === 1 ? { fieldSelector: `metadata.name=${name}` } : {}),
    }
  })
}

const keyOf = ({ resource, namespace, name }: Followed) => (resource.namespaced ? `${namespace}/${name}` : name)
