import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { ApiProxy, type Fault } from '../kube/api-proxy.ts'
import type { RequestInfo } from '../kube/request-info.ts'
import { Program } from './support/controller-process.ts'
import { DrillFleet } from './support/fleet.ts'
import { type DrillServer, drillArguments, startDrillServer } from './support/server.ts'
import { type Exit, Supervised } from './support/supervised.ts'

// Two controllers, a gateway and an API server that has a bad day, each time in the middle of a plan's rollout: errors for a minute, 2 s for every answer, throttling,
// kill -9, and a history that is lost. Every Assignment must be changed once by every plan, the lead must change hands only where the deadline has passed,
// the gateway must never end, and after each every program must be healthy and follow the API again.
//   node test/drills/outage.ts [APPLIANCES] [--server=embedded|real]

interface Trouble {
  readonly name: string
  /** Whether the leader may lose the lead over it: only where it lasts longer than the renew deadline, or might. */
  readonly mayDepose: boolean
  /** Begins in the middle of a rollout; the trouble is over when it resolves. */
  run(drill: OutageDrill): Promise<void>
  /** Whether watches must have been told that their version is gone (410). */
  readonly expires?: boolean
  /** It goes on until the plan is done, rather than for a time. */
  readonly endsWithPlan?: boolean
}

interface TroubleResult {
  readonly name: string
  /** Assignments that had been changed when it began, of all. */
  readonly beganAt: number
  readonly lastedMs: number
  /** From the end of the trouble until every Assignment was changed; until all controllers were ready. */
  readonly convergedMs: number
  readonly readyMs: number
  /** How many watches were told that their version is gone. */
  readonly expired: number
  /** How often the lead changed hands. */
  readonly depositions: number
  readonly exits: readonly Exit[]
}

const answer = (status: number, reason: string, retryAfterSeconds?: number): Fault => ({
  type: 'answer',
  status,
  reason,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
})
/** API Priority and Fairness gives leader election a level of its own, which others' requests cannot exhaust. */
const butLeases = (fault: Fault) => (request: RequestInfo) => (request.resource === 'leases' ? undefined : fault)

const TROUBLES: readonly Trouble[] = [
  {
    name: '503 for 4 s, with Retry-After: 10',
    mayDepose: false,
    run: (drill) => drill.misbehave(() => answer(503, 'ServiceUnavailable', 10), 4000),
  },
  {
    name: '500 for 60 s',
    mayDepose: true,
    run: (drill) => drill.misbehave(() => answer(500, 'InternalError'), 60_000),
  },
  {
    name: 'slow by 2 s, until it is done',
    mayDepose: false,
    endsWithPlan: true,
    run: (drill) => drill.misbehave(() => ({ type: 'delay', ms: 2000 }), undefined),
  },
  {
    name: '429 for 20 s, with Retry-After: 1',
    mayDepose: false,
    run: (drill) => drill.misbehave(butLeases(answer(429, 'TooManyRequests', 1)), 20_000),
  },
  {
    name: 'killed with SIGKILL, and started again',
    mayDepose: true,
    run: (drill) => drill.server.crash(async () => {}),
  },
  {
    name: 'unreachable for 5 s, and its history lost meanwhile',
    mayDepose: true,
    expires: true,
    async run(drill) {
      // Watches are asked for while it is away, and reach it when it is back: from versions that it does not know any more.
      const fault = ({ verb }: RequestInfo): Fault =>
        verb === 'watch' ? { type: 'delay', ms: 15_000 } : { type: 'break' }
      const over = drill.misbehave(fault, undefined)
      await drill.fleet.touchAll()
      await drill.server.crash(() => delay(5000), true)
      drill.behave()
      await over
    },
  },
]

/** From the end of a trouble until all is as it should be: back-offs have grown to half a minute by then, and half as much again. */
const PATIENCE_MS = 90_000

class OutageDrill implements AsyncDisposable {
  readonly server: DrillServer
  readonly fleet: DrillFleet
  readonly #proxy: ApiProxy
  readonly #programs: readonly Supervised[]
  #behave: (() => void) | undefined

  private constructor(server: DrillServer, fleet: DrillFleet, proxy: ApiProxy, programs: readonly Supervised[]) {
    this.server = server
    this.fleet = fleet
    this.#proxy = proxy
    this.#programs = programs
  }

  static async start(server: DrillServer, count: number): Promise<OutageDrill> {
    const programs: Supervised[] = []
    const lastWords = () =>
      programs.map(({ program }) => program.log.filter(({ level }) => level !== 'debug').slice(-6))
    const fleet = await DrillFleet.make(server.kubeconfigPath, count, lastWords)
    const proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfigPath })
    const kubeconfig = proxy.writeKubeconfig(join(server.dir, 'through-the-proxy'))
    const common = [
      `--kubeconfig=${kubeconfig}`,
      `--blobs=${join(server.dir, 'blobs')}`,
      '--metrics-listen=127.0.0.1:0',
      '--log-level=debug',
    ]
    for (const name of ['a', 'b']) {
      const env = { POD_NAMESPACE: fleet.namespace, POD_NAME: name }
      programs.push(new Supervised(name, () => new Program(['controller', '--leader-elect', ...common], env)))
    }
    const { server: pair } = await ensureCertificates({ folder: join(server.dir, 'pki-gateway'), now: new Date() })
    writeFileSync(join(server.dir, 'tls.crt'), pair.certificate)
    writeFileSync(join(server.dir, 'tls.key'), pair.key)
    const tls = [`--tls-cert=${join(server.dir, 'tls.crt')}`, `--tls-key=${join(server.dir, 'tls.key')}`]
    const gateway = ['gateway', '--listen=127.0.0.1:0', '--id=drill', ...tls, ...common]
    programs.push(new Supervised('gateway', () => new Program(gateway, {})))
    const drill = new OutageDrill(server, fleet, proxy, programs)
    await fleet.firstAssignments()
    await drill.#ready()
    return drill
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]()
    await this.#proxy[Symbol.asyncDispose]()
    await this.fleet[Symbol.asyncDispose]()
  }

  /** The server does this to the controllers' requests from now on, for so long, or until `behave` is called. Watches that are open are broken. */
  async misbehave(fault: (request: RequestInfo) => Fault | undefined, forMs: number | undefined): Promise<void> {
    const over = Promise.withResolvers<void>()
    this.#behave = over.resolve
    this.#proxy.fault = fault
    this.#proxy.cut()
    const timer = forMs === undefined ? undefined : setTimeout(over.resolve, forMs)
    await over.promise
    clearTimeout(timer)
    this.#proxy.fault = undefined
  }

  behave(): void {
    this.#behave?.()
  }

  /** Asks for a plan, lets the trouble begin in the middle of its rollout, and waits until all is well again. */
  async drill(trouble: Trouble): Promise<TroubleResult> {
    const before = await this.fleet.lease()
    const exitsBefore = this.#exits().length
    const expiredBefore = this.#expired()
    const begun = Promise.withResolvers<number>()
    const done = await this.fleet.ask((changed) => {
      if (changed >= this.fleet.count / 4) begun.resolve(changed)
    })
    const beganAt = await begun.promise
    const beganMs = performance.now()
    let overMs = 0
    const over = trouble.run(this).then(() => {
      overMs = performance.now()
    })
    if (trouble.endsWithPlan) {
      await done(PATIENCE_MS)
      this.behave()
    }
    await over
    await done(PATIENCE_MS)
    const convergedMs = performance.now() - overMs
    await this.#ready()
    const readyMs = performance.now() - overMs
    const after = await this.fleet.lease()
    const result = {
      name: trouble.name,
      beganAt,
      lastedMs: Math.round(overMs - beganMs),
      convergedMs: Math.max(0, Math.round(convergedMs)),
      readyMs: Math.round(readyMs),
      expired: this.#expired() - expiredBefore,
      depositions: (after?.spec?.leaseTransitions ?? 0) - (before?.spec?.leaseTransitions ?? 0),
      exits: this.#exits().slice(exitsBefore),
    }
    this.#judge(trouble, result)
    return result
  }

  #judge({ name, mayDepose, expires }: Trouble, { beganAt, depositions, exits, expired }: TroubleResult): void {
    const { wrongs, count } = this.fleet
    if (beganAt >= count) wrongs.push(`${name}: did not begin in mid-rollout`)
    if (expires && expired <= 0) wrongs.push(`${name}: no watch was told that its version is gone`)
    if (!mayDepose && depositions > 0) wrongs.push(`${name}: the lead was given up ${depositions} times, needlessly`)
    if (!mayDepose && exits.length > 0) wrongs.push(`${name}: ${JSON.stringify(exits)}`)
    for (const exit of exits) {
      if (exit.name === 'gateway') wrongs.push(`${name}: the gateway ended`)
      // Only who was deposed may end, and says so by its code.
      const said = JSON.stringify(exit.said)
      if (exit.code === 0 || exit.code === null) wrongs.push(`${name}: ${exit.name} ended with ${exit.code}: ${said}`)
    }
  }

  /** Ends every program; what is wrong with what has come of all the plans. */
  async finish(): Promise<readonly string[]> {
    const { fleet } = this
    await fleet.check()
    const plans = this.#proxy.seen.filter(
      ({ verb, resource, status }) => verb === 'create' && resource === 'placementplans' && status === 201,
    )
    if (plans.length > fleet.plans)
      fleet.wrongs.push(`${plans.length} plans were made where ${fleet.plans} were asked for`)
    for (const program of this.#programs) {
      const code = await program.stop()
      if (code !== 0) fleet.wrongs.push(`${program.name} ended with ${code} on SIGTERM`)
    }
    return fleet.wrongs
  }

  async #ready(): Promise<void> {
    for (const program of this.#programs) {
      const isWell = async () => {
        const [healthy, ready] = [await program.ask('/healthz'), await program.ask('/readyz')]
        const metrics = await program.ask('/metrics')
        return healthy !== undefined && ready !== undefined && metrics !== undefined && followsAll(metrics)
      }
      await this.fleet.until(isWell, `${program.name} is healthy and follows the API`, PATIENCE_MS)
    }
  }

  /** As the programs that run now tell. */
  #expired(): number {
    const lines = this.#programs.flatMap(({ program }) => program.log)
    return lines.filter(({ msg }) => msg === 'watch expired; will list again').length
  }

  #exits(): readonly Exit[] {
    return this.#programs.flatMap(({ exits }) => exits)
  }
}

const followsAll = (metrics: string) => !/^weir_cache_synced\{.*\} 0$/m.test(metrics)

const { server: kind, number = 200 } = drillArguments()
await using server = await startDrillServer(kind)
await using drill = await OutageDrill.start(server, number)
for (const trouble of TROUBLES) console.log(JSON.stringify({ server: kind, ...(await drill.drill(trouble)) }))
const wrongs = await drill.finish()
console.log(JSON.stringify({ server: kind, wrongs }))
process.exitCode = wrongs.length > 0 ? 1 : 0
