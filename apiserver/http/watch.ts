import type { Clock } from '../../runtime/clock.ts'
import type { Api, Target } from '../api.ts'
import { expired, resourceVersionTooLarge, tooManyRequests } from '../api-error.ts'
import { asObject } from '../json.ts'
import type { Representation, Served } from '../served.ts'
import { StoreError } from '../storage/errors.ts'
import { toTable } from '../table/table.ts'
import { listObjects } from '../verbs/list.ts'
import type { WatchOptions } from '../verbs/options.ts'
import { parseResourceVersion } from '../verbs/resource-version.ts'
import { parseSelectors } from '../verbs/selection.ts'
import { Framers } from '../watch/framers.ts'
import type { EventForm } from '../watch/frames.ts'
import { WatchStream } from '../watch/stream.ts'
import type { Exchange, HttpExchange } from './exchange.ts'
import type { Accepted } from './media-type.ts'
import { includeObject, partial } from './transform.ts'

const bookmarkEveryMs = 60_000
/** A watch without a timeout ends after 30 to 60 minutes, so that clients spread again. */
const defaultTimeoutSeconds = () => 1800 + Math.floor(Math.random() * 1800)

export interface WatchLimits {
  readonly maxWatches: number
}

/** All watches of a server. */
export class WatchServer {
  readonly #api: Api
  readonly #framers = new Framers()
  readonly #open = new Set<WatchStream>()
  readonly #limits: WatchLimits

  constructor(api: Api, limits: WatchLimits) {
    this.#api = api
    this.#limits = limits
  }

  get count(): number {
    return this.#open.size
  }

  /** Ends every watch, telling clients to watch again. */
  closeAll(): void {
    for (const stream of this.#open) stream.finish()
  }

  /** Answers a watch request. Throws where it cannot start; once events flow, errors are ERROR events. */
  serve(exchange: HttpExchange, target: Target, options: WatchOptions, accepted: Accepted): void {
    if (this.#open.size >= this.#limits.maxWatches) {
      throw tooManyRequests('too many watches are open, please try again later', 1)
    }
    const { served } = target
    const filter = parseSelectors(served, options.labelSelector, options.fieldSelector)
    const revision = parseResourceVersion(options.resourceVersion)
    const form = eventForm(served, accepted, exchange, this.#api.clock)
    const initial = wantsInitial(options) ? this.#initial(target, options, revision) : undefined
    // Who watches one object by its name is told of that object only.
    const pinned = filter.name !== undefined && !(served.info.namespaced && target.namespace === '')
    const prefix = pinned ? served.key(target.namespace, filter.name) : served.collection(target.namespace)
    const after = initial ? Number(initial.resourceVersion) : revision || this.#api.store.revision
    const { framer, release } = this.#framers.take(served, prefix, filter, form)

    const { res } = exchange
    res.writeHead(200, { 'Cache-Control': 'no-cache, private', 'Content-Type': 'application/json' })
    res.flushHeaders()
    res.socket?.setNoDelay(true)
    const cancels: (() => void)[] = [release]
    const stream = new WatchStream({
      res,
      framer,
      afterRevision: after,
      bookmark: (at, end) => bookmarkObject(served, at, end),
      onClose: () => {
        this.#open.delete(stream)
        for (const cancel of cancels) cancel()
      },
    })
    this.#open.add(stream)
    if (initial) stream.sendInitial(initial.items)
    if (!this.#attach(stream, prefix, after)) return
    if (options.sendInitialEvents === true && options.allowBookmarks) stream.sendBookmark(true)
    cancels.push(
      ...this.#schedule(stream, options),
      served.onRetired(() => stream.finish()),
    )
  }

  #attach(stream: WatchStream, prefix: string, after: number): boolean {
    const { store } = this.#api
    try {
      // A client may be ahead of us (restored from a backup): it gets what comes after its revision.
      stream.attach(store.watch(prefix, Math.min(after, store.revision), stream))
      return true
    } catch (err) {
      if (!(err instanceof StoreError)) throw err
      stream.fail(expired(`too old resource version: ${after} (${store.compactedRevision})`).status)
      return false
    }
  }

  #initial(target: Target, options: WatchOptions, revision: number) {
    if (revision > this.#api.store.revision) throw resourceVersionTooLarge(revision, this.#api.store.revision)
    return listObjects(this.#api, target, {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: 0,
      continueToken: '',
      resourceVersion: '',
      resourceVersionMatch: '',
    })
  }

  #schedule(stream: WatchStream, options: WatchOptions): (() => void)[] {
    const { clock } = this.#api
    const cancelTimeout = clock.after((options.timeoutSeconds ?? defaultTimeoutSeconds()) * 1000, () => {
      if (options.allowBookmarks) stream.sendBookmark()
      stream.finish()
    })
    if (!options.allowBookmarks) return [cancelTimeout]
    let cancelBookmark = () => {}
    const next = () => {
      cancelBookmark = clock.after(bookmarkEveryMs, () => {
        stream.sendBookmark()
        next()
      })
    }
    next()
    return [cancelTimeout, () => cancelBookmark()]
  }
}

/** Without a revision a watch starts with the state there is, unless told otherwise. */
function wantsInitial(options: WatchOptions): boolean {
  if (options.sendInitialEvents !== undefined) return options.sendInitialEvents
  return options.resourceVersion === '' || options.resourceVersion === '0'
}

function eventForm(served: Served, accepted: Accepted, exchange: Exchange, clock: Clock): EventForm {
  const { transform, transformVersion: apiVersion } = accepted
  if (transform === 'Table') {
    const include = includeObject(exchange.query)
    return {
      key: `${transform} ${apiVersion} ${include}`,
      firstDiffers: true,
      encode: (object, first) =>
        JSON.stringify(
          toTable(served.info, [object.value], {
            includeObject: include,
            apiVersion,
            noHeaders: !first,
            now: clock.now(),
          }),
        ),
    }
  }
  if (transform === 'PartialObjectMetadata') {
    const encode = (object: Representation) => JSON.stringify(partial(object.value, apiVersion))
    return { key: `${transform} ${apiVersion}`, firstDiffers: false, encode }
  }
  return { key: 'plain', firstDiffers: false, encode: (object) => object.json }
}

function bookmarkObject(served: Served, revision: number, initialEventsEnd: boolean): Representation {
  const value = asObject({
    kind: served.info.kind,
    apiVersion: served.apiVersion,
    metadata: {
      resourceVersion: String(revision),
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  })
  return { value, json: Buffer.from(JSON.stringify(value)) }
}
