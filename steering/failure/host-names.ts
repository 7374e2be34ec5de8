import { type LookupAddress, type LookupOptions, lookup as lookupBySystem } from 'node:dns'

/** Addresses are looked up again after so long, when somebody needs them. */
const FRESH_MS = 5000
/** The system's look-ups take threads that files are read by as well: some are left for those. */
const AT_ONCE = 2
/** Names of hosts that are gone are forgotten, at the latest when there are so many. */
const MOST = 50_000

type Answer = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void

interface Known {
  addresses: readonly LookupAddress[]
  /** When they were looked up, monotonic ms. */
  atMs: number
  /** Those who wait while it is being looked up; undefined: it is not. */
  waiting: Answer[] | undefined
}

/**
 * Addresses of appliances by name. What was found once is used until something else is found, even while the resolver is silent: that one does not
 * answer says nothing of the appliances.
 */
export class HostNames {
  readonly #known = new Map<string, Known>()
  readonly #queue: string[] = []
  readonly #monotonicMs: () => number
  readonly #ask: typeof lookupBySystem
  #asking = 0

  constructor(monotonicMs: () => number, ask: typeof lookupBySystem = lookupBySystem) {
    this.#monotonicMs = monotonicMs
    this.#ask = ask
  }

  /** As `net.connect` wants it. */
  readonly lookup = (
    host: string,
    options: LookupOptions,
    callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    this.#find(host, (error, addresses) => {
      const [first] = addresses
      if (!first) callback(error, options.all ? [] : '')
      else if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }

  #find(host: string, answer: Answer): void {
    const known = this.#known.get(host)
    if (known && known.addresses.length > 0) {
      process.nextTick(answer, null, known.addresses)
      if (!known.waiting && this.#monotonicMs() - known.atMs > FRESH_MS) this.#lookUp(host, known)
      return
    }
    if (known?.waiting) {
      known.waiting.push(answer)
      return
    }
    const next = known ?? { addresses: [], atMs: 0, waiting: undefined }
    if (!known && this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(host, next)
    this.#lookUp(host, next)
    next.waiting!.push(answer)
  }

  #lookUp(host: string, known: Known): void {
    known.waiting = []
    this.#queue.push(host)
    this.#next()
  }

  #next(): void {
    while (this.#asking < AT_ONCE) {
      const host = this.#queue.shift()
      if (host === undefined) return
      this.#asking++
      this.#ask(host, { all: true }, (error, addresses) => {
        this.#asking--
        this.#found(host, error, error ? [] : addresses)
        this.#next()
      })
    }
  }

  #found(host: string, error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]): void {
    const known = this.#known.get(host)
    if (!known) return
    const { waiting = [] } = known
    known.waiting = undefined
    known.atMs = this.#monotonicMs()
    // That there is no such name is an answer; everything else is the resolver's trouble.
    if (!error || error.code === 'ENOTFOUND') known.addresses = addresses
    for (const answer of waiting) answer(error, known.addresses)
  }
}
