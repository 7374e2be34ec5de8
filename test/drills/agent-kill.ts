import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  Cleanup,
  contentOf,
  makeCatalog,
  Origin,
  sha256,
  type TestCatalog,
  TestGateway,
  until,
} from '../agent/harness.ts'

// Kills a filling agent again and again with SIGKILL. Whatever it serves or keeps must be right, what it advertised must be held, and a
// large file must go on where it was.
//   node test/drills/agent-kill.ts [ROUNDS]

export interface DrillResult {
  readonly kills: number
  /** Files read over HTTP while the agent ran, each compared byte by byte. */
  readonly served: number
  /** What the origin sent, over what there is: 1 when nothing was fetched twice. */
  readonly fetchedShare: number
  /** What is wrong; empty where all is well. */
  readonly wrongs: readonly string[]
}

export async function drillKill(rounds: number): Promise<DrillResult> {
  const cleanup = new Cleanup()
  try {
    return await new Drill(cleanup).run(rounds)
  } finally {
    await cleanup.run()
  }
}

class Drill {
  readonly #cleanup: Cleanup
  readonly #wrongs: string[] = []
  #served = 0
  #kills = 0

  constructor(cleanup: Cleanup) {
    this.#cleanup = cleanup
  }

  async run(rounds: number): Promise<DrillResult> {
    const files = new Map<string, Buffer>([['film', randomBytes(40_000_000)]])
    for (let i = 0; i < 1500; i++) files.set(`small/${i}`, randomBytes(Math.floor(20_000 * Math.random() ** 2)))
    const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0)
    const origin = await Origin.start(this.#cleanup, files)
    let sent = 0
    for (const path of files.keys()) {
      // Slow enough that every round ends in mid-fill, until the last.
      origin.faults.set(path, async (request, response, file) => {
        const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
        const headers = start > 0 ? { 'Content-Range': `bytes ${start}-${file.length - 1}/${file.length}` } : {}
        response.writeHead(start > 0 ? 206 : 200, { 'Content-Length': file.length - start, ...headers })
        for (let at = start; at < file.length && !response.destroyed; at += 200_000) {
          const piece = file.subarray(at, at + 200_000)
          sent += piece.length
          await new Promise((resolve) => response.write(piece, resolve))
          await delay(slow ? 10 : 0)
        }
        response.end()
      })
    }
    let slow = true
    const gateway = await TestGateway.start(this.#cleanup)
    const catalog = makeCatalog('docs', files)
    gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
    const root = this.#cleanup.folder()

    for (let round = 0; round < rounds && this.#wrongs.length === 0; round++) {
      const agent = await this.#spawn(gateway, root)
      const reading = this.#readAll(agent.url, files, agent.killed)
      await delay(100 + Math.random() * 500)
      agent.process.kill('SIGKILL')
      await once(agent.process, 'exit')
      agent.killed.abort()
      await reading
      this.#kills++
      this.#check(round, root, gateway, catalog)
    }
    slow = false
    const agent = await this.#spawn(gateway, root)
    const isDone = () => gateway.inventories.get('isp/docs')?.files === files.size
    await until(
      () => (isDone() ? true : undefined),
      () => gateway.status,
      60_000,
    )
    agent.process.kill('SIGKILL')
    await once(agent.process, 'exit')
    this.#check(rounds, root, gateway, catalog)
    const held = contentOf(root).size
    const wanted = new Set([...files.values()].map((file) => sha256(file))).size
    if (held !== wanted) this.#wrongs.push(`at the end ${held} of ${wanted} files are held`)
    return { kills: this.#kills, served: this.#served, fetchedShare: sent / bytes, wrongs: this.#wrongs }
  }

  async #spawn(gateway: TestGateway, root: string) {
    const script = fileURLToPath(new URL('support/agent-process.ts', import.meta.url))
    const args = [script, gateway.url, gateway.appliance, root]
    const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#cleanup.add(() => child.kill('SIGKILL'))
    for await (const url of createInterface({ input: child.stdout! })) {
      return { process: child, url, killed: new AbortController() }
    }
    throw new Error('the agent ended before it served')
  }

  /** Reads files at random, as clients do, until the agent is gone. Half a file is no wrong when the agent was killed. */
  async #readAll(url: string, files: ReadonlyMap<string, Buffer>, killed: AbortController): Promise<void> {
    const paths = [...files.keys()]
    while (!killed.signal.aborted) {
      const path = paths[Math.floor(Math.random() * paths.length)]!
      try {
        const response = await fetch(`${url}/isp/docs/${path}`, { signal: killed.signal })
        const body = Buffer.from(await response.arrayBuffer())
        if (response.status === 404) continue
        this.#served++
        const isRight = response.status === 200 && body.equals(files.get(path)!)
        if (!isRight) this.#wrongs.push(`served ${body.length} bytes with status ${response.status} for ${path}`)
      } catch {
        // Killed in the middle of an answer.
        await delay(5)
      }
    }
  }

  #check(round: number, root: string, gateway: TestGateway, catalog: TestCatalog): void {
    const held = contentOf(root)
    for (const [name, bytes] of held) {
      const got = createHash('sha256').update(bytes).digest('hex')
      if (got !== name) this.#wrongs.push(`round ${round}: ${name} has ${bytes.length} bytes with sha256 ${got}`)
    }
    for (const index of gateway.inventories.get('isp/docs')?.set ?? []) {
      const file = catalog.entries[index]!
      if (!held.has(file.sha256)) this.#wrongs.push(`round ${round}: ${file.path} is advertised and not held`)
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const result = await drillKill(Number(process.argv[2] ?? 100))
  console.log(JSON.stringify(result, null, 2))
  process.exitCode = result.wrongs.length === 0 && result.served > 0 ? 0 : 1
}
