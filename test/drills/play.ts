import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Chromium } from './support/chromium.ts'
import { MAIN, signal, WeirUp } from './support/weir-up.ts'

// examples/play for real: a video as HLS, placed by policy, and a browser that plays it through steering. The appliance that serves it is killed in
// mid-play, and stays dead: the picture must go on to the end, never standing still for longer than a segment, with bytes from others.
//   node test/drills/play.ts

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/play')
const SEGMENT_MS = 2000
const FILM_SECONDS = 24
const COMMAND_MS = 90_000
/** What has been played before the appliance is killed. */
const PLAYED_SECONDS = 6

interface Served {
  readonly file: string
  readonly url: string
  readonly appliance: string
  readonly failed: readonly { readonly appliance: string; readonly why: string }[]
  /** From asking steering to the last byte, the ones that failed included. */
  readonly ms: number
  readonly atMs: number
}

interface Seen {
  readonly time: number
  readonly ended: boolean
  readonly frames: number
  readonly error: string | null
  /** The page's clock. */
  readonly nowMs: number
  readonly served: readonly Served[]
  /** Longest that the picture has stood still since it began to move, and when that was. */
  readonly longest: { readonly ms: number; readonly time: number }
}

/** Run in the page: notes for how long the picture stands still. */
const WATCH = `(() => {
  const { video } = play
  const longest = { ms: 0, time: 0 }
  let last = video.currentTime, movedMs = performance.now()
  globalThis.watched = longest
  setInterval(() => {
    const now = performance.now()
    if (last > 0 && !video.ended && now - movedMs > longest.ms) Object.assign(longest, { ms: now - movedMs, time: last })
    if (video.currentTime === last) return
    last = video.currentTime
    movedMs = now
  }, 50)
})()`
const LOOK = `(() => {
  const { video, served } = play
  return { time: video.currentTime, ended: video.ended, frames: video.getVideoPlaybackQuality().totalVideoFrames,
    error: video.error && video.error.message, nowMs: performance.now(), served, longest: watched }
})()`

const isMedia = ({ file }: { readonly file: string }) => file.endsWith('.m4s')
const isInstalled = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

class Drill implements AsyncDisposable {
  readonly #up = new WeirUp()
  #steering = ''
  #dead: string | undefined
  readonly wrongs: string[] = []

  async run(): Promise<void> {
    const films = join(this.#up.dir, 'films')
    this.#command('bash', [join(EXAMPLE, 'film.sh'), films])
    this.#up.start('--origin', films, '--appliances', '4')
    await this.#up.until('the control plane is there', () => this.#up.said.includes('Ctrl-C stops everything'))
    const origin = /^Origin: (\S+)/m.exec(this.#up.said)![1]!
    this.#steering = /^Steering: (\S+)/m.exec(this.#up.said)![1]!
    const manifests = readdirSync(EXAMPLE)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(EXAMPLE, name), 'utf8').replaceAll('http://127.0.0.1:8480/', `${origin}/`))
    const apply = ['apply', '--no-wait', '--kubeconfig', join(this.#up.data, 'kubeconfig'), '-f', '-']
    this.#command(process.execPath, [MAIN, ...apply], manifests.join('---\n'))

    const files = readdirSync(join(films, 'film'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.\w+$/.test(name))
      .map((name) => `play/films/film/${name}`)
    const holders = new Map<string, readonly string[]>()
    await this.#up.until('every file is at both sites, twice in Amsterdam', async () => {
      for (const file of files) {
        const named = await this.#ask(file)
        holders.set(file, named)
        if (named.length < 3) return false
      }
      return true
    })
    console.log(
      `${files.length} files of HLS, each on two of the three appliances of its viewers' site and at the parent`,
    )
    await using browser = await Chromium.open(
      `${origin}/page/index.html?steering=${encodeURIComponent(this.#steering)}`,
    )
    await this.#play(browser, holders)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dead = undefined
    await this.#up[Symbol.asyncDispose]()
  }

  async #play(browser: Chromium, holders: ReadonlyMap<string, readonly string[]>): Promise<void> {
    await this.#up.until('the page is there', () => browser.evaluate<boolean>('globalThis.play !== undefined'))
    await browser.evaluate(WATCH)
    let seen = await browser.evaluate<Seen>(LOOK)
    const look = async (done: (now: Seen) => boolean) => {
      seen = await browser.evaluate<Seen>(LOOK)
      if (seen.error) throw new Error(`the video ended with an error: ${seen.error}`)
      return done(seen)
    }
    // Segments still to come, in either quality, that would come from whoever has just served one.
    const toServe = ({ served }: Seen) => {
      const last = served.findLast(isMedia)!
      return [...holders.keys()].filter(
        (file) => isMedia({ file }) && basename(file) > basename(last.file) && holders.get(file)![0] === last.appliance,
      )
    }
    await this.#up.until(`${PLAYED_SECONDS} s have been played, and their source is to serve more`, () =>
      look((now) => {
        if (now.time < PLAYED_SECONDS) return false
        const folder = dirname(now.served.findLast(isMedia)!.file)
        return toServe(now).some((file) => dirname(file) === folder)
      }),
    )
    const before = seen
    const victim = before.served.findLast(isMedia)!
    const its = new Set(toServe(before))
    this.#dead = victim.appliance
    void this.#keepDead()
    const killedMs = await browser.evaluate<number>('performance.now()')
    console.log(
      `at ${before.time.toFixed(1)} s of ${FILM_SECONDS} s ${victim.appliance} is killed, which served ${victim.file}, and was to serve ${its.size} of those to come`,
    )
    await this.#up.until('the film is played to its end', () => look(({ ended }) => ended))
    this.#check(seen, before, victim, its, killedMs)
  }

  #check(after: Seen, before: Seen, victim: Served, its: ReadonlySet<string>, killedMs: number): void {
    const wrong = (text: string) => void this.wrongs.push(text)
    const later = after.served.slice(before.served.length).filter(isMedia)
    for (const { file, appliance, failed, ms, atMs } of later) {
      const told = failed.map((each) => `, after ${each.appliance} had failed (${each.why})`).join('')
      console.log(`  ${((atMs - killedMs) / 1000).toFixed(1)} s later: ${file} from ${appliance} in ${ms} ms${told}`)
    }
    const { ms, time } = after.longest
    console.log(
      `played to ${after.time.toFixed(1)} s, ${after.frames} frames; the picture stood still for ${Math.round(ms)} ms at most (at ${time.toFixed(1)} s)`,
    )
    const sites = new Map<string, number>()
    for (const { appliance } of after.served) sites.set(appliance, (sites.get(appliance) ?? 0) + 1)
    console.log(`files served: ${[...sites].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    if (after.time < FILM_SECONDS - 0.5) wrong(`the film ended at ${after.time} s`)
    if (ms > SEGMENT_MS) wrong(`the picture stood still for ${Math.round(ms)} ms at ${time} s`)
    if (after.frames < FILM_SECONDS * 10) wrong(`only ${after.frames} frames were shown`)
    if (later.length < 3) wrong(`only ${later.length} segments were fetched after the kill: it proves nothing`)
    // One answer may have been on its way.
    const bySame = later.filter(({ appliance, atMs }) => appliance === victim.appliance && atMs > killedMs + 500)
    if (bySame.length > 0)
      wrong(`${victim.appliance} was dead, and served ${bySame.map(({ file }) => file).join(', ')}`)
    if (!later.some(({ file }) => its.has(file)))
      wrong(`nothing that ${victim.appliance} was to serve came from others`)
  }

  /** Kills the appliance's agent, and again whenever `weir up` starts it anew: its machine is gone. */
  async #keepDead(): Promise<void> {
    while (this.#dead !== undefined) {
      const pid = this.#up.agents().get(this.#dead)
      if (pid !== undefined) signal(pid, 'SIGKILL')
      await sleep(100)
    }
  }

  /** Who is named for a file, best first. */
  async #ask(file: string): Promise<readonly string[]> {
    const answer = await fetch(`${this.#steering}/v1/steer?file=${encodeURIComponent(file)}`)
    if (answer.status === 404) return []
    if (answer.status !== 200) throw new Error(`steering answers ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { urls: readonly { appliance: string }[] }).urls.map(({ appliance }) => appliance)
  }

  #command(program: string, args: readonly string[], input = ''): void {
    const { status, stderr } = spawnSync(program, args, {
      cwd: this.#up.dir,
      input,
      encoding: 'utf8',
      timeout: COMMAND_MS,
    })
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`)
  }
}

const missing = ['chromium', 'ffmpeg'].filter((program) => !isInstalled(program))
if (missing.length > 0) {
  console.log(`skipped: not installed here: ${missing.join(', ')}`)
} else {
  const drill = new Drill()
  try {
    await drill.run()
  } catch (error) {
    drill.wrongs.push((error as Error).message)
  } finally {
    await drill[Symbol.asyncDispose]()
  }
  for (const wrong of drill.wrongs) console.error(`WRONG: ${wrong}`)
  process.exitCode = drill.wrongs.length > 0 ? 1 : 0
}
