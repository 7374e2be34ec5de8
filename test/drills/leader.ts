import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Program } from './support/controller-process.ts'
import { DrillFleet } from './support/fleet.ts'
import { type DrillServer, drillArguments, startDrillServer } from './support/server.ts'

// Two controllers, one leads. The leader is killed with SIGKILL, frozen with SIGSTOP and woken, and cut off from the network, each time in the
// middle of a plan's rollout. Every Assignment must be changed once by every plan: not twice, and not never.
//   node test/drills/leader.ts [APPLIANCES] [--server=embedded|real]

export interface LeaderTimes {
  /** As for `--lease-duration`, `--renew-deadline` and `--retry-period`. */
  readonly lease: string
  readonly deadline: string
  readonly retry: string
}

export interface LeaderDrillResult {
  /** From the blow to the first Assignment that the successor wrote, in ms. */
  readonly takeoverMs: Readonly<Record<'kill' | 'freeze' | 'cut', number>>
  /** Assignments that the leader had changed when it was struck, of all. */
  readonly struckAt: readonly number[]
  readonly plans: number
  /** What is wrong; empty where all is well. */
  readonly wrongs: readonly string[]
}

export async function drillLeader(server: DrillServer, count: number, times: LeaderTimes): Promise<LeaderDrillResult> {
  await using drill = new Drill(server, times)
  return await drill.run(count)
}

class Drill implements AsyncDisposable {
  readonly #server: DrillServer
  readonly #times: LeaderTimes
  readonly #closers: (() => unknown)[] = []
  readonly #struckAt: number[] = []
  readonly #programs: Program[] = []

  constructor(server: DrillServer, times: LeaderTimes) {
    this.#server = server
    this.#times = times
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close()
  }

  async run(count: number): Promise<LeaderDrillResult> {
    const lastWords = () => this.#programs.map(({ log }) => log.slice(-8))
    await using fleet = await DrillFleet.make(this.#server.kubeconfigPath, count, lastWords)
    const door = await this.#openDoor()

    const a = this.#start(fleet, 'a')
    await fleet.leads('a')
    await fleet.firstAssignments()
    const b = this.#start(fleet, 'b')
    await b.said('the controllers have been started')
    const kill = await this.#strike(fleet, 'b', () => a.kill('SIGKILL'))

    const c = this.#start(fleet, 'c', door.kubeconfig)
    await c.said('the controllers have been started')
    const freeze = await this.#strike(fleet, 'c', () => b.kill('SIGSTOP'))
    // What the sleeper remembers is two plans old when it wakes.
    await fleet.plan()
    b.kill('SIGCONT')
    if ((await b.exited) === 0) fleet.wrongs.push('a leader that was deposed while it was frozen ended with code 0')

    const d = this.#start(fleet, 'd')
    await d.said('the controllers have been started')
    const cut = await this.#strike(fleet, 'd', () => door.cut())
    if ((await c.exited) === 0) fleet.wrongs.push('a leader that was cut off ended with code 0')

    d.kill('SIGTERM')
    const code = await d.exited
    if (code !== 0) fleet.wrongs.push(`the last leader ended with code ${code} on SIGTERM`)
    const holder = (await fleet.lease())?.spec?.holderIdentity
    if (holder) fleet.wrongs.push(`the Lease was not released: ${holder} holds it`)
    await fleet.check()
    return {
      takeoverMs: { kill, freeze, cut },
      struckAt: this.#struckAt,
      plans: await fleet.placementPlans(),
      wrongs: fleet.wrongs,
    }
  }

  /** Starts a plan, strikes in the middle of its rollout, and waits for `successor` to end it; how long until its first write. */
  async #strike(fleet: DrillFleet, successor: string, blow: () => void): Promise<number> {
    let struckMs = 0
    let resumedMs = 0
    let seen = 0
    await fleet.plan((done) => {
      if (struckMs === 0 && done >= fleet.count / 4) {
        blow()
        struckMs = performance.now()
        this.#struckAt.push(done)
      } else if (struckMs > 0 && done > seen && performance.now() - struckMs > 1000) {
        // What was on its way when the leader was struck arrives at once; later than that it is the successor.
        if (resumedMs === 0) resumedMs = performance.now()
      }
      seen = done
    })
    await fleet.leads(successor)
    if (struckMs === 0 || resumedMs === 0) {
      fleet.wrongs.push(
        `${successor}: the leader was not struck in mid-rollout (${this.#struckAt.at(-1)} of ${fleet.count})`,
      )
    }
    return Math.round(resumedMs - struckMs)
  }

  #start(fleet: DrillFleet, name: string, kubeconfig = this.#server.kubeconfigPath): Program {
    const { lease, deadline, retry } = this.#times
    const program = new Program(
      [
        'controller',
        '--leader-elect',
        `--kubeconfig=${kubeconfig}`,
        `--blobs=${join(this.#server.dir, 'blobs')}`,
        '--metrics-listen=127.0.0.1:0',
        `--lease-duration=${lease}`,
        `--renew-deadline=${deadline}`,
        `--retry-period=${retry}`,
      ],
      { POD_NAMESPACE: fleet.namespace, POD_NAME: name },
    )
    this.#programs.push(program)
    this.#closers.push(() => program[Symbol.asyncDispose]())
    return program
  }

  /** A way to the API server that can be cut. */
  async #openDoor(): Promise<{ kubeconfig: string; cut(): void }> {
    const text = readFileSync(this.#server.kubeconfigPath, 'utf8')
    const server = /https:\/\/[^\s"]+/.exec(text)?.[0] ?? ''
    const { hostname, port } = new URL(server)
    const sockets = new Set<Socket>()
    const door = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => sockets.delete(socket))
      }
      client.pipe(upstream).pipe(client)
    })
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
    const cut = () => {
      door.close()
      for (const socket of sockets) socket.destroy()
    }
    this.#closers.push(cut)
    const kubeconfig = join(this.#server.dir, 'through-the-door')
    writeFileSync(kubeconfig, text.replace(server, `https://127.0.0.1:${(door.address() as AddressInfo).port}`))
    return { kubeconfig, cut }
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { server: kind, number = 500 } = drillArguments()
  await using server = await startDrillServer(kind)
  const result = await drillLeader(server, number, { lease: '10s', deadline: '7s', retry: '1s' })
  const late = Object.values(result.takeoverMs).some((ms) => ms > 15_000)
  // Struck in the middle of a rollout, or nothing is proven.
  const after = result.struckAt.some((changed) => changed >= number)
  console.log(JSON.stringify({ server: kind, ...result, late, after }))
  process.exitCode = result.wrongs.length > 0 || late || after ? 1 : 0
}
