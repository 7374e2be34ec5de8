import type { Api, Target } from '../api.ts'
import { ApiError, badRequest, expired } from '../api-error.ts'
import type { Representation } from '../served.ts'
import { StoreError } from '../storage/errors.ts'
import type { Page } from '../storage/store.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ListOptions } from './options.ts'
import { checkNotFuture, parseResourceVersion } from './resource-version.ts'
import { type ObjectFilter, parseSelectors } from './selection.ts'

export interface Listed {
  readonly items: readonly Representation[]
  readonly resourceVersion: string
  /** '' at the end. */
  readonly continueToken: string
  /** Known only where no selector hides how many follow. */
  readonly remaining: number | undefined
}

/** Lists a collection: the whole, or a page of the state that its first page saw. */
export function listObjects(api: Api, target: Target, options: ListOptions): Listed {
  const { served, namespace } = target
  const filter = parseSelectors(served, options.labelSelector, options.fieldSelector)
  const prefix = served.collection(namespace)
  const start = startOf(options)
  if (options.continueToken === '') checkNotFuture(api.store, parseResourceVersion(options.resourceVersion))

  const pinned = start.revision === 0 && start.startAfter === '' ? pinnedObject(api, target, filter) : undefined
  if (pinned) return done(pinned, api.store.revision)

  const items: Representation[] = []
  let startAfter = start.startAfter === '' ? undefined : prefix + start.startAfter
  let revision = start.revision
  for (;;) {
    const wanted = options.limit === 0 ? 0 : options.limit - items.length
    const page = read(api, prefix, { limit: wanted, startAfter, revision })
    revision = page.revision
    take(page, target, filter, items)
    const last = page.items.at(-1)
    if (page.remaining === 0 || !last) return done(items, revision)
    startAfter = last.key
    if (items.length < options.limit) continue
    const selective = filter.selective
    return {
      items,
      resourceVersion: String(revision),
      continueToken: encodeContinue({ revision, startAfter: last.key.slice(prefix.length) }),
      remaining: selective ? undefined : page.remaining,
    }
  }
}

/** What a selector that names one object finds, looked up rather than searched for; undefined where it names none. */
function pinnedObject(api: Api, { served, namespace }: Target, filter: ObjectFilter): Representation[] | undefined {
  if (filter.name === undefined || (served.info.namespaced && namespace === '')) return undefined
  const stored = api.store.get(served.key(namespace, filter.name))
  const object = stored && served.read(stored)
  return object && filter.matches(object.value) ? [object] : []
}

function done(items: readonly Representation[], revision: number): Listed {
  return { items, resourceVersion: String(revision), continueToken: '', remaining: undefined }
}

function take(page: Page, { served }: Target, filter: ObjectFilter, into: Representation[]): void {
  for (const stored of page.items) {
    const object = served.read(stored)
    if (!filter.selective || filter.matches(object.value)) into.push(object)
  }
}

/** The revision to read (0: now) and the key to start after. */
function startOf(options: ListOptions): { revision: number; startAfter: string } {
  if (options.continueToken === '') {
    const exact = options.resourceVersionMatch === 'Exact'
    return { revision: exact ? parseResourceVersion(options.resourceVersion) : 0, startAfter: '' }
  }
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  return decodeContinue(options.continueToken)
}

function read(api: Api, prefix: string, at: { limit: number; startAfter: string | undefined; revision: number }): Page {
  try {
    return api.store.range(prefix, {
      limit: at.limit,
      ...(at.startAfter === undefined ? {} : { startAfter: at.startAfter }),
      // A negative revision in a token says: go on with whatever is there now.
      revision: Math.max(0, at.revision),
    })
  } catch (err) {
    if (err instanceof StoreError && err.code === 'Compacted') throw expiredPage(at.startAfter, prefix)
    if (err instanceof StoreError && err.code === 'FutureRevision') {
      throw new ApiError(504, 'Timeout', `Timeout: ${err.message}`, { retryAfterSeconds: 1 })
    }
    throw err
  }
}

function expiredPage(startAfter: string | undefined, prefix: string): ApiError {
  if (startAfter === undefined) {
    return expired('The resourceVersion for the provided list is too old.')
  }
  const token = encodeContinue({ revision: -1, startAfter: startAfter.slice(prefix.length) })
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    { continue: token },
  )
}
