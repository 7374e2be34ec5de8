import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Client } from '../../runtime/client/client.ts'
import type { ClusterAccess } from '../../runtime/client/kubeconfig.ts'
import type { ClientOptions } from '../../runtime/client/requests.ts'
import { systemClock } from '../../runtime/clock.ts'
import { Deposed, LeaderElection, type Leadership } from '../../runtime/leader-election/leader-election.ts'
import type { Log } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import { parseDuration } from '../duration.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'

export interface LeadFlags {
  readonly leaderElect?: boolean
  readonly leaseDuration: string
  readonly renewDeadline: string
  readonly retryPeriod: string
}

export interface LeadOptions {
  readonly access: ClusterAccess
  readonly userAgent: string
  readonly log: Log
  readonly onAnswer: NonNullable<ClientOptions['onAnswer']>
}

/** Whether, and since when, this process may act. */
export interface Lead {
  /** Resolves when it may. */
  readonly taken: Promise<void>
  readonly leading: boolean
  /** What is wrong where it acts although it should not. */
  readonly stuck: string | undefined
  /** Throws Deposed when it may not act, now: called before every write. */
  readonly assert: () => void
  /** Waits for the lead, and runs `work`, whose signal aborts when the lead ends. Throws Deposed where it was lost. */
  run(interrupted: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<ExitCode>
  register(metrics: Metrics): void
  close(): void
}

const LEASE = 'weir-controller'

/** With `--leader-elect`, stands for the Lease `weir-controller`; without, leads at once and for good. Throws a usage error. */
export function createLead(io: Io, flags: LeadFlags, options: LeadOptions): Lead {
  return flags.leaderElect ? new ElectedLead(io, flags, options) : soleLead()
}

function soleLead(): Lead {
  return {
    taken: Promise.resolve(),
    leading: true,
    stuck: undefined,
    assert() {},
    async run(interrupted, work) {
      await work(interrupted)
      return ExitCode.ok
    },
    register() {},
    close() {},
  }
}

class ElectedLead implements Lead {
  readonly #taken = Promise.withResolvers<void>()
  readonly #client: Client
  readonly #election: LeaderElection
  #leadership: Leadership | undefined

  constructor(io: Io, flags: LeadFlags, { access, userAgent, log, onAnswer }: LeadOptions) {
    const [leaseMs, renewDeadlineMs, retryMs] = [flags.leaseDuration, flags.renewDeadline, flags.retryPeriod].map(
      parseDuration,
    ) as [number, number, number]
    if (!(retryMs > 0 && retryMs * 1.2 < renewDeadlineMs && renewDeadlineMs < leaseMs)) {
      throw usageError('--retry-period must be well below --renew-deadline, and that below --lease-duration')
    }
    // Connections of its own: renewals must not wait behind a rollout's writes.
    // And a server that asks to be left alone for longer than the lead lasts must not be obeyed: the Lease is tried at its own pace.
    this.#client = new Client({ access, userAgent: `${userAgent} leader-election`, onAnswer, maxServerRetries: 0 })
    this.#election = new LeaderElection({
      client: this.#client,
      clock: systemClock,
      log,
      namespace: io.env.POD_NAMESPACE || 'weir-system',
      name: LEASE,
      identity: `${io.env.POD_NAME || hostname()}_${randomUUID()}`,
      leaseMs,
      renewDeadlineMs,
      retryMs,
    })
  }

  get taken(): Promise<void> {
    return this.#taken.promise
  }

  get leading(): boolean {
    return this.#leadership !== undefined && !this.#leadership.signal.aborted
  }

  get stuck(): string | undefined {
    return this.#election.stuck
  }

  readonly assert = (): void => {
    if (!this.#leadership) throw new Deposed(LEASE)
    this.#leadership.assert()
  }

  async run(interrupted: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<ExitCode> {
    await this.#election.run(interrupted, async (leadership) => {
      this.#leadership = leadership
      this.#taken.resolve()
      await work(leadership.signal)
    })
    return ExitCode.ok
  }

  register(metrics: Metrics): void {
    metrics.gauge(
      {
        name: 'leader_election_master_status',
        help: '1 where this process leads, 0 where it stands by.',
        labels: ['name'],
      },
      () => [{ value: this.leading ? 1 : 0, labels: { name: LEASE } }],
    )
  }

  close(): void {
    this.#client.close()
  }
}
