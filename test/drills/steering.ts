import { setTimeout as sleep } from 'node:timers/promises'
import { WeirUp } from './support/weir-up.ts'

// A fleet of processes and a player that asks steering all the time, while appliances hang, end, and a whole site goes dark. How long until no answer
// names them is measured: two seconds at most. What is named must serve the file whenever nothing has just failed.
//   node test/drills/steering.ts

const GONE_MS = 2000

interface Named {
  readonly url: string
  readonly appliance: string
  readonly site: string
}

class Drill {
  readonly #up = new WeirUp()
  #url = ''
  readonly wrongs: string[] = []

  async run(): Promise<void> {
    this.#up.start('--quickstart')
    await this.#up.until('the fleet is ready', () => this.#up.said.includes('starting again goes on from here.'))
    this.#url = /curl '(\S+)'/.exec(this.#up.said)![1]!
    await this.#up.until(
      'a site and its parent are named',
      async () => new Set((await this.#ask()).map(({ site }) => site)).size === 2,
    )
    for (const { url, appliance } of await this.#ask()) {
      const { status } = await fetch(url)
      if (status !== 200) this.wrongs.push(`${appliance} was named and answers ${status}`)
    }
    const [first] = await this.#ask()
    const pid = this.#up.agents().get(first!.appliance)!
    process.kill(pid, 'SIGSTOP')
    await this.#gone('hangs', ({ appliance }) => appliance === first!.appliance)
    process.kill(pid, 'SIGCONT')
    await this.#up.until('it is named again', async () =>
      (await this.#ask()).some(({ appliance }) => appliance === first!.appliance),
    )
    process.kill(pid, 'SIGKILL')
    // It is started again at another port, soon.
    await this.#gone('is killed', ({ url }) => url === first!.url)
    await this.#up.until('it is back, started again', async () =>
      (await this.#ask()).some(({ appliance }) => appliance === first!.appliance),
    )
    const dark = [...this.#up.agents()].filter(([appliance]) => appliance.startsWith(`${first!.site}-`))
    for (const [, each] of dark) process.kill(each, 'SIGSTOP')
    await this.#gone(`its site of ${dark.length} goes dark`, ({ site }) => site === first!.site)
    const left = await this.#ask()
    if (left.length === 0) this.wrongs.push('nobody is named while a site is dark')
    for (const [, each] of dark) process.kill(each, 'SIGCONT')
    await this.#up.until('the site is back', async () => (await this.#ask()).some(({ site }) => site === first!.site))
  }

  close(): Promise<void> {
    return this.#up[Symbol.asyncDispose]()
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
