import type { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { backoffMs } from '../../runtime/backoff.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Tuning } from '../tuning.ts'
import { FillError } from './fill-error.ts'
import { originUrl } from './origin-url.ts'
import type { WantedFile } from './view.ts'

/** Another appliance that files may come from. */
export interface PeerSource {
  readonly kind: 'peer' | 'parent'
  /** `namespace/name`. */
  readonly name: string
  /** Base of its URLs, without a slash at the end. */
  readonly url: string
  /** What it has, by catalog (`namespace/name`); undefined where that is not known: then it is asked for anything. */
  readonly inventories: ReadonlyMap<string, FileSet> | undefined
}

/** One way to get one file. */
export interface Offer {
  /** `peer ns/name`, `parent ns/name` or `origin https://host`. */
  readonly source: string
  readonly kind: 'peer' | 'parent' | 'origin'
  readonly tier: number
  readonly url: string
}

interface Health {
  active: number
  /** Times in a row that it could not be reached. */
  unreachable: number
  /** Times that it sent wrong bytes, since it last was without fault for an hour. */
  wrong: number
  wrongAtMs: number
  suspendedUntilMs: number
  trouble: string | undefined
}

const ORIGIN_TIER = 1_000_000
/** A file that has many names is asked for under the first few of them. */
const NAMES_TRIED = 4
const FORGIVEN_AFTER_MS = 3_600_000
/** Attempts at a source that all find it unreachable, before it is left alone. */
const UNREACHABLE_LIMIT = 2

/** Whom files can come from, and how well that has gone. */
export class Sources {
  readonly #clock: Clock
  readonly #tuning: Tuning
  readonly #random: () => number
  readonly #health = new Map<string, Health>()
  #peers: readonly PeerSource[] = []

  constructor(clock: Clock, tuning: Tuning, random: () => number) {
    this.#clock = clock
    this.#tuning = tuning
    this.#random = random
  }

  get peers(): readonly PeerSource[] {
    return this.#peers
  }

  /** Best first. */
  setPeers(peers: readonly PeerSource[]): void {
    this.#peers = peers
    const known = new Set(peers.map(sourceName))
    for (const [source, { active }] of this.#health) {
      if (active === 0 && !source.startsWith('origin ') && !known.has(source)) this.#health.delete(source)
    }
  }

  /** Every way to get the file. `refused` says why there is none at an origin, where there is none. */
  offers(file: WantedFile): { readonly offers: readonly Offer[]; readonly refused: FillError | undefined } {
    const offers: Offer[] = []
    this.#peers.forEach((peer, i) => {
      if (!mayHave(peer, file)) return
      const tier = peer.kind === 'peer' ? 0 : 1 + i
      offers.push({ source: sourceName(peer), kind: peer.kind, tier, url: `${peer.url}/.weir/sha256/${file.sha256}` })
    })
    let refused: FillError | undefined
    for (const { view, file: named } of file.names.slice(0, NAMES_TRIED)) {
      try {
        const url = originUrl(view.entry.originUrl, named.path)
        offers.push({ source: `origin ${new URL(url).origin}`, kind: 'origin', tier: ORIGIN_TIER, url })
      } catch (error) {
        refused = error instanceof FillError ? error : new FillError('OriginUnsupported', 'file', String(error))
      }
    }
    return { offers, refused }
  }

  active(source: string): number {
    return this.#health.get(source)?.active ?? 0
  }

  suspendedUntilMs(source: string): number {
    return this.#health.get(source)?.suspendedUntilMs ?? 0
  }

  /** Why a source is left alone now. */
  trouble(source: string): string | undefined {
    const health = this.#health.get(source)
    return health && health.suspendedUntilMs > this.#clock.monotonicMs() ? health.trouble : undefined
  }

  /** Sources left alone now, with the reason. */
  *troubled(): Generator<[source: string, trouble: string]> {
    for (const source of this.#health.keys()) {
      const trouble = this.trouble(source)
      if (trouble !== undefined) yield [source, trouble]
    }
  }

  begin(source: string): void {
    this.#of(source).active++
  }

  /** Ends what `begin` began: how it went decides when the source is asked again. */
  end(source: string, outcome: FillError | undefined, solelyToBlame: boolean): void {
    const health = this.#of(source)
    health.active--
    if (outcome?.blame === 'source') {
      this.#noteUnreachable(health, outcome)
    } else if (outcome?.blame !== 'stopped' && outcome?.blame !== 'disk') {
      health.unreachable = 0
      if (outcome?.reason === 'DigestMismatch' && solelyToBlame && !source.startsWith('origin ')) {
        this.#noteWrong(health, outcome)
      }
    }
  }

  #noteUnreachable(health: Health, { message }: FillError): void {
    // Many attempts that were under way together count once.
    if (health.suspendedUntilMs > this.#clock.monotonicMs()) return
    health.unreachable++
    if (health.unreachable < UNREACHABLE_LIMIT) return
    const { unreachableBaseMs: baseMs, penaltyCapMs } = this.#tuning
    // Not longer than half a minute: an origin that is back should not wait long for us.
    const capMs = Math.min(30_000, penaltyCapMs)
    this.#suspend(
      health,
      message,
      backoffMs(health.unreachable - UNREACHABLE_LIMIT + 1, { baseMs, capMs, random: this.#random }),
    )
  }

  #noteWrong(health: Health, { message }: FillError): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - health.wrongAtMs > FORGIVEN_AFTER_MS) health.wrong = 0
    health.wrong++
    health.wrongAtMs = nowMs
    const { penaltyBaseMs: baseMs, penaltyCapMs: capMs } = this.#tuning
    this.#suspend(health, message, backoffMs(health.wrong, { baseMs, capMs, random: this.#random }))
  }

  #suspend(health: Health, trouble: string, ms: number): void {
    health.suspendedUntilMs = Math.max(health.suspendedUntilMs, this.#clock.monotonicMs() + ms)
    health.trouble = trouble
  }

  #of(source: string): Health {
    let health = this.#health.get(source)
    if (!health) {
      health = { active: 0, unreachable: 0, wrong: 0, wrongAtMs: 0, suspendedUntilMs: 0, trouble: undefined }
      this.#health.set(source, health)
    }
    return health
  }
}

function sourceName({ kind, name }: PeerSource): string {
  return `${kind} ${name}`
}

/** Indices keep their meaning from one version of a catalog to the next, so a peer that is a version behind still counts. */
function mayHave({ inventories }: PeerSource, file: WantedFile): boolean {
  if (!inventories) return true
  return file.names.some(({ view, file: named }) => inventories.get(view.catalog)?.has(named.index) ?? false)
}
