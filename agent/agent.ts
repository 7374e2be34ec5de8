import { isIP } from 'node:net'
import { join } from 'node:path'
import { fillOrder } from '../reconcilers/agent/fill-order.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Filler } from './content/filler.ts'
import { Keeper } from './content/keeper.ts'
import { RateLimit } from './content/rate-limit.ts'
import { Room } from './content/room.ts'
import { Schedule } from './content/schedule.ts'
import { Scrubber } from './content/scrubber.ts'
import { Sources } from './content/sources.ts'
import { contentStatus } from './content/status.ts'
import { ContentStore } from './content/store.ts'
import type { Fetcher } from './fetch/fetcher.ts'
import type { FileIo } from './file-io.ts'
import { GatewayClient, type StatusReport } from './gateway/client.ts'
import { DemandReporter } from './gateway/demand-reporter.ts'
import { keepDoing } from './gateway/loop.ts'
import { Publisher } from './gateway/publisher.ts'
import { Reporter } from './gateway/reporter.ts'
import { SourceFinder } from './gateway/source-finder.ts'
import { type AgentCounters, agentMetrics } from './serve/agent-metrics.ts'
import { OpenFiles } from './serve/open-files.ts'
import { type ContentServer, type ServableFile, startServer } from './serve/server.ts'
import { Tally } from './serve/tally.ts'
import { AssignmentTaker } from './state/assignment-taker.ts'
import { LocalBlobs } from './state/blobs.ts'
import { DesiredState } from './state/desired.ts'
import type { Tuning } from './tuning.ts'

export interface AgentDeps {
  readonly gatewayUrl: string
  readonly ca: string | undefined
  readonly appliance: { readonly namespace: string; readonly name: string }
  readonly token: string
  readonly root: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly advertiseUrl: string | undefined
  readonly capacityBytes: number | undefined
  readonly version: string
  readonly bootId: string
  readonly io: FileIo
  readonly clock: Clock
  readonly fetcher: Fetcher
  readonly log: Log
  readonly random: () => number
  readonly tuning: Tuning
}

/** The parts of an agent, wired to each other: each says what has changed, none knows who listens. */
export class Agent {
  readonly #deps: AgentDeps
  readonly #startedAt: string
  readonly #abort = new AbortController()
  readonly #counters: AgentCounters = {
    fill: { filled: 0, filledBytes: { peer: 0, parent: 0, origin: 0 }, failures: new Map() },
    scrub: { scrubbedBytes: 0, passes: 0 },
    serve: { requests: new Map(), sentBytes: { client: 0, peer: 0 } },
    rotted: 0,
    evicted: 0,
    evictedBytes: 0,
  }
  readonly #gateway: GatewayClient
  readonly #sources: Sources
  readonly #rate: RateLimit
  readonly #schedule: Schedule
  readonly #openFiles: OpenFiles
  readonly #tally: Tally
  #url = ''
  #parts: Parts | undefined
  #server: ContentServer | undefined
  #stream: Promise<void> | undefined
  /** What must end first is last. */
  readonly #closing: (() => unknown)[] = []

  constructor(deps: AgentDeps) {
    const { clock, tuning, random, log } = deps
    this.#deps = deps
    this.#startedAt = clock.now().toISOString()
    this.#gateway = new GatewayClient({ ...deps, url: deps.gatewayUrl })
    this.#sources = new Sources(clock, tuning, random)
    this.#rate = new RateLimit(clock)
    this.#tally = new Tally(clock, deps.bootId)
    this.#openFiles = new OpenFiles(() => this.#parts?.keeper.kick())
    this.#schedule = new Schedule({ clock, log, onChange: (open, rate) => this.#onSchedule(open, rate) })
  }

  /** Gives the URL under which it serves. */
  async start(): Promise<string> {
    const { io, root, clock, listen, advertiseUrl, log, appliance, tuning } = this.#deps
    this.#closing.push(() => this.#gateway.close())
    const store = await ContentStore.open(io, root, clock, tuning.commitIntervalMs)
    const parts = this.#assemble(store)
    this.#parts = parts
    await parts.room.measure(() => 0)
    await parts.finder.load()
    await parts.taker.load()
    this.#server = await startServer({
      ...listen,
      ...this.#deps,
      openFiles: this.#openFiles,
      counters: this.#counters.serve,
      tally: this.#tally,
      findPath: (catalog, path) => {
        const file = parts.keeper.find(catalog, path)
        const found = this.#servable(file?.sha256)
        return found && file && { ...found, counted: { catalog, index: file.index } }
      },
      findSha256: (sha256) => this.#servable(sha256),
      isServing: () => parts.keeper.isServing,
      metrics: () => agentMetrics(this.#counters, this.#tally.lost, contentStatus(this.#statusParts(parts)), store),
      onUnreadable: (sha256, message) => void this.#onRotten(sha256, message),
    })
    const { host, port } = this.#server
    this.#closing.push(() => this.#server?.close())
    this.#url = advertiseUrl ?? `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
    log.info({ url: this.#url, heldFiles: store.heldFiles, appliance }, 'serving')
    parts.scrubber.start()
    this.#stream = this.#followGateway(parts)
    parts.reporter.changed()
    return this.#url
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'))
    this.#schedule.close()
    await this.#stream
    for (const close of this.#closing.splice(0).reverse()) await close()
  }

  #assemble(store: ContentStore): Parts {
    const { io, root, clock, log, tuning, random, capacityBytes, fetcher } = this.#deps
    const folder = join(root, 'state')
    const common = { io, clock, log, random, tuning, store, folder, gateway: this.#gateway, sources: this.#sources }
    const room = new Room({ ...common, root, capacityBytes, reserveBytes: tuning.reserveBytes })
    const keeper = new Keeper({
      ...common,
      isOpen: (sha256) => this.#openFiles.isOpen(sha256),
      onInventory: (urgent) => parts.publisher.changed(urgent),
      onRetiring: () => parts.taker.tidy(),
      onEvicted: (files, bytes) => this.#onEvicted(files, bytes),
    })
    const filler = new Filler({
      ...common,
      fetcher,
      rate: this.#rate,
      room,
      counters: this.#counters.fill,
      onHeld: (sha256) => {
        keeper.held(sha256)
        // Clients wait for the last file of a fill, and no more come that could be told together with it.
        if (filler.progress().missingFiles === 0) parts.publisher.changed(true)
        parts.reporter.changed()
      },
      onChange: () => parts.reporter.changed(),
    })
    const backoff = { baseMs: tuning.reconnectBaseMs, capMs: tuning.reconnectCapMs }
    const state = new DesiredState(io, folder)
    const blobs = new LocalBlobs(
      io,
      join(folder, 'blobs'),
      {
        blob: (digest) => this.#gateway.blob(digest, this.#abort.signal),
        catalog: (digest, from) => this.#gateway.catalog(digest, from, this.#abort.signal),
      },
      log,
    )
    const parts: Parts = {
      store,
      room,
      keeper,
      filler,
      publisher: new Publisher({
        ...common,
        adverts: () => keeper.adverts(),
        onAcknowledged: (epoch) => keeper.acknowledged(epoch),
      }),
      reporter: new Reporter({ ...common, report: () => this.#report(parts), isBusy: () => this.#isFilling(parts) }),
      demandReporter: new DemandReporter({ ...common, tally: this.#tally }),
      finder: new SourceFinder({
        ...common,
        isFilling: () => this.#isFilling(parts),
        onFound: () => filler.kick(),
      }),
      taker: new AssignmentTaker({
        ...common,
        state,
        blobs,
        keeper,
        backoff,
        onApplied: () => this.#onApplied(parts),
        onChange: () => parts.reporter.changed(),
      }),
      scrubber: new Scrubber({
        ...common,
        counters: this.#counters.scrub,
        onRotten: (sha256, message) => this.#onRotten(sha256, message),
      }),
    }
    const { publisher, reporter, demandReporter, finder, taker, scrubber } = parts
    for (const part of [publisher, reporter, demandReporter, keeper, filler, finder, taker, scrubber]) {
      this.#closing.push(() => part.close())
    }
    return parts
  }

  /** A new Assignment is in force: everything that follows from it. */
  async #onApplied(parts: Parts): Promise<void> {
    const { appliance } = this.#deps
    const { keeper, filler, finder, reporter } = parts
    const { wanted, assignment } = keeper
    if (assignment) this.#schedule.set(assignment.fill)
    await filler.setWanted(wanted, fillOrder([...wanted.values()], `${appliance.namespace}/${appliance.name}`))
    finder.wanted()
    reporter.changed()
  }

  #onSchedule(open: boolean, bytesPerSecond: number): void {
    if (bytesPerSecond > 0 && bytesPerSecond !== this.#rate.bytesPerSecond) this.#rate.setRate(bytesPerSecond)
    this.#parts?.filler.setOpen(open)
    this.#parts?.reporter.changed()
  }

  #onEvicted(files: number, bytes: number): void {
    this.#counters.evicted += files
    this.#counters.evictedBytes += bytes
    this.#parts?.filler.roomChanged()
    this.#parts?.reporter.changed()
  }

  /** A held file is not what it was: gone from what is served and advertised at once, then fetched anew. */
  async #onRotten(sha256: string, message: string): Promise<void> {
    const { log } = this.#deps
    const parts = this.#parts
    if (!parts?.store.has(sha256)) return
    const moved = parts.store.setAside(sha256)
    this.#counters.rotted++
    parts.keeper.lost(sha256)
    this.#openFiles.breakOff(sha256)
    log.error({ sha256, reason: message }, 'a held file has rotted; it is fetched again')
    await moved.catch((err) => log.warn({ err, sha256 }, 'cannot move a rotten file away'))
    parts.filler.refill(sha256, 'Rotted', message)
    parts.finder.wanted()
    parts.reporter.changed()
  }

  #servable(sha256: string | undefined): ServableFile | undefined {
    const { store } = this.#parts as Parts
    return sha256 !== undefined && store.has(sha256)
      ? { sha256, path: store.contentPath(sha256), bytes: store.sizeOf(sha256) }
      : undefined
  }

  #isFilling({ filler, taker }: Parts): boolean {
    return filler.progress().missingFiles > 0 || taker.notInForce !== undefined
  }

  #report(parts: Parts): StatusReport {
    const { version, bootId } = this.#deps
    const addresses = [{ type: 'HTTP' as const, url: this.#url }]
    return { bootId, version, startedAt: this.#startedAt, addresses, content: contentStatus(this.#statusParts(parts)) }
  }

  #statusParts(parts: Parts) {
    return { ...parts, schedule: this.#schedule, sources: this.#sources, notInForce: parts.taker.notInForce }
  }

  async #followGateway({ taker, publisher, reporter, demandReporter, finder }: Parts): Promise<void> {
    const { clock, log, random, tuning } = this.#deps
    const backoff = { baseMs: tuning.reconnectBaseMs, capMs: tuning.reconnectCapMs }
    const options = { name: 'the assignment stream', clock, log, random, backoff }
    await keepDoing(options, this.#abort.signal, async (signal, wentWell) => {
      let isFirst = true
      await this.#gateway.watchAssignment((message) => {
        wentWell()
        // Only a stream that speaks is one: a gateway that is being started may accept and say nothing.
        if (isFirst) for (const part of [taker, publisher, reporter, demandReporter, finder]) part.reconnected()
        isFirst = false
        if (message.type !== 'ASSIGNMENT' || !message.assignment.content) return
        const { assignment, uid } = message
        taker.offer({ ...(uid !== undefined && { uid }), content: assignment.content! })
      }, signal)
    })
  }
}

interface Parts {
  readonly store: ContentStore
  readonly room: Room
  readonly keeper: Keeper
  readonly filler: Filler
  readonly publisher: Publisher
  readonly reporter: Reporter
  readonly demandReporter: DemandReporter
  readonly finder: SourceFinder
  readonly taker: AssignmentTaker
  readonly scrubber: Scrubber
}
