import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Resource } from '../../runtime/client/resource.ts'
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

export interface FollowOptions {
  /** Judges an object as it is now; undefined: it is not there. */
  readonly judge: (object: Body | undefined, followed: Followed) => Verdict
  /** 0: look once. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Called when an object is met, once. */
  readonly onMet: (followed: Followed) => void
  /** Called when what an object waits for changes. */
  readonly onPending?: (followed: Followed, message: string) => void
}

export interface FollowResult {
  readonly met: readonly Followed[]
  readonly failed: readonly { readonly followed: Followed; readonly message: string }[]
  readonly pending: readonly { readonly followed: Followed; readonly message: string }[]
}

/**
 * Watches objects until each is met or failed, the time is over, or the first has failed. Rejects with the signal's reason when
 * interrupted.
 */
export async function followUntil(
  connection: Connection,
  followed: readonly Followed[],
  options: FollowOptions,
): Promise<FollowResult> {
  const verdicts = new Map<Followed, Verdict>(followed.map((each) => [each, { type: 'pending', message: '' }]))
  const ended = Promise.withResolvers<void>()
  const caches = groups(followed).map(({ members, ...selection }) => {
    const cache = new Cache<Body>({ client: connection.client, ...selection })
    const judgeAll = () => {
      if (cache.synced) for (const each of members) judge(each, cache.get(keyOf(each)))
    }
    cache.onChange(judgeAll)
    return { cache, judgeAll }
  })
  const judge = (each: Followed, object: Body | undefined) => {
    const before = verdicts.get(each)!
    if (before.type === 'met') return
    let verdict: Verdict
    try {
      verdict = options.judge(object, each)
    } catch (error) {
      ended.reject(error)
      return
    }
    verdicts.set(each, verdict)
    if (verdict.type === 'met') options.onMet(each)
    else if (verdict.type === 'pending' && (before.type !== 'pending' || before.message !== verdict.message))
      options.onPending?.(each, verdict.message)
    const all = [...verdicts.values()]
    if (all.some(({ type }) => type === 'failed') || all.every(({ type }) => type === 'met')) ended.resolve()
  }
  const onAbort = () => ended.reject(options.signal.reason)
  if (options.signal.aborted) onAbort()
  options.signal.addEventListener('abort', onAbort, { once: true })
  const timer = options.timeoutMs === 0 ? undefined : setTimeout(ended.resolve, options.timeoutMs)
  try {
    for (const { cache } of caches) cache.start()
    const looked = caches.map(({ cache, judgeAll }) => cache.waitForSync(options.signal).then(judgeAll))
    Promise.all(looked).then(() => options.timeoutMs === 0 && ended.resolve(), ended.reject)
    await ended.promise
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onAbort)
    await Promise.all(caches.map(({ cache }) => cache.close()))
  }
  return sorted(verdicts)
}

function sorted(verdicts: ReadonlyMap<Followed, Verdict>): FollowResult {
  const met: Followed[] = []
  const failed: { followed: Followed; message: string }[] = []
  const pending: { followed: Followed; message: string }[] = []
  for (const [followed, verdict] of verdicts) {
    if (verdict.type === 'met') met.push(followed)
    else (verdict.type === 'failed' ? failed : pending).push({ followed, message: verdict.message })
  }
  return { met, failed, pending }
}

interface Group {
  readonly resource: Resource<Body>
  readonly namespace?: string
  readonly fieldSelector?: string
  readonly members: readonly Followed[]
}

/** One watch per resource and namespace; of one object alone, of that object. */
function groups(followed: readonly Followed[]): Group[] {
  const byPlace = Map.groupBy(
    followed,
    ({ resource, namespace }) => `${resource.group}/${resource.plural}/${namespace ?? ''}`,
  )
  return [...byPlace.values()].map((members) => {
    const [{ resource, namespace, name }] = members as [Followed]
    return {
      resource: resource as Resource<Body>,
      members,
      ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
      ...(members.length === 1 ? { fieldSelector: `metadata.name=${name}` } : {}),
    }
  })
}

const keyOf = ({ resource, namespace, name }: Followed) => (resource.namespaced ? `${namespace}/${name}` : name)
