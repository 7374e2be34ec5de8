import type { Client } from '../client/client.ts'
import { type Lease, leases } from '../client/resource.ts'
import { type Clock, sleep } from '../clock.ts'
import { isAlreadyExists, isConflict, isNotFound, ReconcileError } from '../errors.ts'
import type { Log } from '../log.ts'

export interface LeaderElectionOptions {
  /** One that asks again only when it is told to (`maxServerRetries: 0`): what a server asks to wait may be longer than the lead lasts. */
  readonly client: Pick<Client, 'find' | 'create' | 'update'>
  readonly clock: Clock
  readonly log: Log
  readonly namespace: string
  readonly name: string
  /** Who this process is: unique among all that ever stand for the Lease, across restarts. */
  readonly identity: string
  /** How long others wait after the last renewal that they saw before they take over. 15 s unless told. */
  readonly leaseMs?: number
  /** How long the leader goes on without a renewal. Must be less than `leaseMs`. 10 s unless told. */
  readonly renewDeadlineMs?: number
  /** How often the Lease is looked at. 2 s unless told. */
  readonly retryMs?: number
}

/** This process does not lead, or not any more: what it was about to do must not be done. */
export class Deposed extends ReconcileError {
  constructor(lease: string) {
    super('Deposed', `the lead (Lease ${lease}) was lost`)
  }
}

/** What a leader holds while it leads. */
export interface Leadership {
  /** Aborts as soon as the lead is lost or given up. */
  readonly signal: AbortSignal
  /** How often the lead had changed hands when it was taken: grows with every leader. */
  readonly term: number
  /**
   * Throws Deposed when the last renewal is older than the renew deadline, even when no timer has run since: a process that was frozen
   * finds out before it does anything. Called before every write.
   */
  assert(): void
}

/**
 * Stands for a Lease of coordination.k8s.io/v1 and leads while it holds it. Times are measured by this process' monotonic clock from when it saw
 * a renewal, as clocks of different machines cannot be compared. Source: client-go tools/leaderelection.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #leaseMs: number
  readonly #renewDeadlineMs: number
  readonly #retryMs: number
  /** The Lease as it was last seen, and when (monotonic) it was first seen like that. */
  #seen: { readonly lease: Lease; readonly version: string; readonly atMs: number } | undefined
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #leadingSinceMs: number | undefined

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? 15_000
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000
    this.#retryMs = options.retryMs ?? 2_000
    if (this.#renewDeadlineMs >= this.#leaseMs) throw new RangeError('the renew deadline must be less than the lease')
  }

  /**
   * Waits for the lead, then calls `lead`, once. Resolves when `lead` has ended or `signal` has aborted, with the Lease released; rejects with
   * Deposed when the lead was lost before (a process that was deposed had better exit and stand anew), or with what `lead` throws.
   */
  async run(signal: AbortSignal, lead: (leadership: Leadership) => Promise<void>): Promise<void> {
    const term = await this.#acquire(signal)
    if (term === undefined) return
    const { log, identity } = this.#options
    log.info({ lease: this.#label, identity, term }, 'leading')
    this.#leadingSinceMs = this.#options.clock.monotonicMs()
    const stop = new AbortController()
    const leadership: Leadership = {
      signal: AbortSignal.any([signal, stop.signal]),
      term,
      assert: () => this.#assert(),
    }
    const renewing = this.#renewUntil(leadership.signal).catch((error: unknown) => {
      stop.abort(error)
    })
    try {
      await lead(leadership)
      if (stop.signal.aborted) throw stop.signal.reason
    } finally {
      stop.abort(new Error('done leading'))
      await renewing
      await this.#release()
      this.#leadingSinceMs = undefined
    }
  }

  /** Whether `lead` is under way. */
  get leading(): boolean {
    return this.#leadingSinceMs !== undefined
  }

  /**
   * What is wrong where this process goes on as the leader although it has not renewed the Lease for so long that another may lead: it is stuck,
   * and must be killed. Undefined while all is well, and for whoever does not lead.
   */
  get stuck(): string | undefined {
    if (!this.leading) return undefined
    const sinceMs = this.#options.clock.monotonicMs() - Math.max(this.#renewedAtMs, this.#leadingSinceMs ?? 0)
    if (sinceMs <= this.#leaseMs) return undefined
    return `the lead (Lease ${this.#label}) was not renewed for ${Math.round(sinceMs / 1000)} s and has not been given up`
  }

  get #label(): string {
    return `${this.#options.namespace}/${this.#options.name}`
  }

  #assert(): void {
    if (this.#options.clock.monotonicMs() - this.#renewedAtMs >= this.#renewDeadlineMs) throw new Deposed(this.#label)
  }

  /** The term, once the lead is taken; undefined when the signal aborted first. */
  async #acquire(signal: AbortSignal): Promise<number | undefined> {
    const { clock, log } = this.#options
    for (;;) {
      try {
        const lease = await this.#take(signal)
        if (lease) return lease.spec?.leaseTransitions ?? 0
      } catch (error) {
        if (!signal.aborted)
          log.warn({ err: error, lease: this.#label }, 'could not stand for the lead; will try again')
      }
      try {
        await sleep(clock, this.#retryMs * (1 + 0.2 * Math.random()), signal)
      } catch {
        return undefined
      }
    }
  }

  async #renewUntil(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      try {
        await sleep(clock, this.#retryMs, signal)
      } catch {
        return
      }
      try {
        const held = await this.#take(signal)
        if (!held) throw new Deposed(this.#label)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Deposed) throw error
        log.warn({ err: error, lease: this.#label }, 'could not renew the lead')
      }
      this.#assert()
    }
  }

  /** Creates, takes over or renews the Lease. Undefined while another holds it. */
  async #take(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, clock, namespace, name, identity } = this.#options
    // Counted from before the request: others count from when they saw it, which is later.
    const startedMs = clock.monotonicMs()
    const timeoutMs = this.#requestTimeoutMs(startedMs)
    // The leader knows the Lease as it wrote it, and need not ask: a slow API server costs one answer a renewal, not two.
    const known = this.#seen?.lease.spec?.holderIdentity === identity && this.leading ? this.#seen.lease : undefined
    const current = known ?? (await client.find(leases, { namespace, name }, { signal, timeoutMs }))
    if (!known) this.#observe(current)
    if (current && !this.#mayTake(current)) return undefined
    const lease = this.#claim(current)
    try {
      const taken = current
        ? await client.update(leases, lease, { signal, timeoutMs, fieldManager: identity })
        : await client.create(leases, lease, { signal, timeoutMs, fieldManager: identity })
      this.#observe(taken)
      this.#renewedAtMs = startedMs
      return taken
    } catch (error) {
      if (known && (isConflict(error) || isNotFound(error))) {
        // Somebody else has written it, if only a label: look who holds it now.
        this.#seen = undefined
        return await this.#take(signal)
      }
      if (isConflict(error) || isAlreadyExists(error)) return undefined
      throw error
    }
  }

  /** One request that is lost leaves time for another before the deadline; none goes on past it. */
  #requestTimeoutMs(nowMs: number): number {
    const halfMs = Math.max(1_000, this.#renewDeadlineMs / 2)
    if (!this.leading) return halfMs
    return Math.max(1, Math.min(halfMs, this.#renewedAtMs + this.#renewDeadlineMs - nowMs))
  }

  #observe(lease: Lease | undefined): void {
    const version = lease?.metadata.resourceVersion ?? ''
    if (!lease) this.#seen = undefined
    else if (this.#seen?.version !== version) {
      this.#seen = { lease, version, atMs: this.#options.clock.monotonicMs() }
    }
  }

  #mayTake({ spec }: Lease): boolean {
    const { identity, clock } = this.#options
    if (!spec?.holderIdentity || spec.holderIdentity === identity) return true
    const leaseMs = spec.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : this.#leaseMs
    return this.#seen !== undefined && clock.monotonicMs() - this.#seen.atMs > leaseMs
  }

  #claim(current: Lease | undefined): Lease {
    const { namespace, name, identity, clock } = this.#options
    const now = `${clock.now().toISOString().slice(0, -1)}000Z`
    const mine = current?.spec?.holderIdentity === identity
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: current ? current.metadata : { namespace, name },
      spec: {
        ...current?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
        renewTime: now,
        acquireTime: (mine && current?.spec?.acquireTime) || now,
        leaseTransitions: (current?.spec?.leaseTransitions ?? -1) + (mine ? 0 : 1),
      },
    }
  }

  /** Lets others take over at once. Best effort: where it fails they wait for the Lease to run out. */
  async #release(): Promise<void> {
    const { client, log, namespace, name, identity } = this.#options
    this.#renewedAtMs = Number.NEGATIVE_INFINITY
    for (let attempt = 1; ; attempt++) {
      try {
        const current = await client.find(leases, { namespace, name }, { timeoutMs: 2_000 })
        if (current?.spec?.holderIdentity !== identity) return
        const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 }
        await client.update(leases, { ...current, spec }, { timeoutMs: 2_000, fieldManager: identity })
        return
      } catch (error) {
        // A renewal that was broken off may land after all, between the two.
        if (isConflict(error) && attempt < 4) continue
        log.debug({ err: error, lease: this.#label }, 'could not release the lead')
        return
      }
    }
  }
}
