import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

// A fleet of processes and a player that asks steering all the time, while appliances hang, end, and a whole site goes dark. How long until no answer
// names them is measured: two seconds at most. What is named must serve the file whenever nothing has just failed.
//   node test/drills/steering.ts

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const GONE_MS = 2000
const PATIENCE_MS = 60_000

interface Named {
  readonly url: string
  readonly appliance: string
  readonly site: string
}

class Drill {
  readonly #dir = mkdtempSync(join(tmpdir(), 'weir-steering-drill-'))
  readonly #up: ChildProcess
  #said = ''
  #url = ''
  readonly wrongs: string[] = []

  constructor() {
    const ports = ['--port', '0', '--gateway-port', '0', '--origin-port', '0', '--steering-port', '0']
    const args = [MAIN, 'up', '--quickstart', '--dir', join(this.#dir, 'data'), ...ports]
    this.#up = spawn(process.execPath, args, { cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#up.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }

  async run(): Promise<void> {
    await this.#until('the fleet is ready', () => this.#said.includes('starting again goes on from here.'))
    this.#url = /curl '(\S+)'/.exec(this.#said)![1]!
    await this.#until(
      'a site and its parent are named',
      async () => new Set((await this.#ask()).map(({ site }) => site)).size === 2,
    )
    for (const { url, appliance } of await this.#ask()) {
      const { status } = await fetch(url)
      if (status !== 200) this.wrongs.push(`${appliance} was named and answers ${status}`)
    }
    const [first] = await this.#ask()
    const pid = this.#agents().get(first!.appliance)!
    process.kill(pid, 'SIGSTOP')
    await this.#gone('hangs', ({ appliance }) => appliance === first!.appliance)
    process.kill(pid, 'SIGCONT')
    await this.#until('it is named again', async () =>
      (await this.#ask()).some(({ appliance }) => appliance === first!.appliance),
    )
    process.kill(pid, 'SIGKILL')
    // It is started again at another port, soon.
    await this.#gone('is killed', ({ url }) => url === first!.url)
    await this.#until('it is back, started again', async () =>
      (await this.#ask()).some(({ appliance }) => appliance === first!.appliance),
    )
    const dark = [...this.#agents()].filter(([appliance]) => appliance.startsWith(`${first!.site}-`))
    for (const [, each] of dark) process.kill(each, 'SIGSTOP')
    await this.#gone(`its site of ${dark.length} goes dark`, ({ site }) => site === first!.site)
    const left = await this.#ask()
    if (left.length === 0) this.wrongs.push('nobody is named while a site is dark')
    for (const [, each] of dark) process.kill(each, 'SIGCONT')
    await this.#until('the site is back', async () => (await this.#ask()).some(({ site }) => site === first!.site))
  }

  async close(): Promise<void> {
    const ended = once(this.#up, 'exit')
    for (const pid of this.#agents().values()) process.kill(pid, 'SIGCONT')
    this.#up.kill('SIGTERM')
    await ended
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #ask(): Promise<readonly Named[]> {
    const answer = await fetch(this.#url)
    if (answer.status !== 200) throw new Error(`steering answers ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { urls: readonly Named[] }).urls
  }

  /** Asks until none that `failed` is named, and then for a while: it must stay so. */
  async #gone(how: string, failed: (named: Named) => boolean): Promise<void> {
    const startedMs = performance.now()
    let lastMs = startedMs
    while (performance.now() - lastMs < 1000) {
      if ((await this.#ask()).some(failed)) lastMs = performance.now()
      if (performance.now() - startedMs > 10_000) break
      await sleep(10)
    }
    const tookMs = Math.round(lastMs - startedMs)
    console.log(`an appliance ${how}: in no answer after ${tookMs} ms`)
    if (tookMs > GONE_MS) this.wrongs.push(`an appliance ${how}, and is named for ${tookMs} ms`)
  }

  async #until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS
    while (!(await look())) {
      if (this.#up.exitCode !== null) throw new Error(`weir up ended:\n${this.#said}`)
      if (performance.now() > endMs) throw new Error(`did not come true: ${what}\n${this.#said}`)
      await sleep(50)
    }
  }

  /** Processes of the agents, by appliance. */
  #agents(): Map<string, number> {
    const found = new Map<string, number>()
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        if (words[words.indexOf('--root') + 1]?.startsWith(this.#dir))
          found.set(words[words.indexOf('--appliance') + 1]!, Number(pid))
      } catch {
        // It has ended since.
      }
    }
    return found
  }
}

const drill = new Drill()
try {
  await drill.run()
} catch (error) {
  drill.wrongs.push((error as Error).message)
} finally {
  await drill.close()
}
for (const wrong of drill.wrongs) console.error(`WRONG: ${wrong}`)
process.exitCode = drill.wrongs.length > 0 ? 1 : 0
