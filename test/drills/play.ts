import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Chromium } from './support/chromium.ts'
import { MAIN, signal, WeirUp } from './support/weir-up.ts'

// examples/play for real: a video as HLS, placed by policy, and a browser that plays it through steering. In mid-play the appliance that serves it hangs;
// has lost its bytes; steering hangs; the appliance is killed and stays dead. Each time the picture must go on, never standing still for longer than a
// segment, with bytes from others.
//   node test/drills/play.ts

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/play')
const SEGMENT_MS = 2000
const FILM_SECONDS = 24
const COMMAND_MS = 90_000
/** What has been played before something fails. */
const PLAYED_SECONDS = 3
/** And at least so much after it: more than is ever buffered, and what then plays has come since. */
const GOES_ON_SECONDS = 6
/** The page asks for the next segment when so much is buffered. It is struck just before. */
const BUFFERED_SECONDS = 4
const JUST_BEFORE_SECONDS = 0.5
/** As it is struck the page is made to ask for so many at once, most of which the victim holds: steering may name another for each, and soon knows. */
const AT_ONCE = 4
/** Should it have spared the player the trouble all the same, it is met in another play. */
const PLAYS = 3

interface Failure {
  readonly appliance: string
  readonly file: string
  readonly why: string
  readonly ms: number
  readonly atMs: number
}

interface Served {
  readonly file: string
  readonly url: string
  readonly appliance: string
  /** Steering has not said so: it did not answer. */
  readonly unsaid: boolean
  readonly failed: readonly Failure[]
  /** From asking steering to the last byte, the ones that failed included. */
  readonly ms: number
  readonly atMs: number
}

interface Seen {
  readonly time: number
  /** Seconds that could be played without another byte. */
  readonly buffered: number
  readonly ended: boolean
  readonly frames: number
  readonly error: string | null
  /** The page's clock. */
  readonly nowMs: number
  readonly served: readonly Served[]
  readonly failures: readonly Failure[]
  /** Longest that the picture has stood still since trouble struck, and when that was; and longest that it has for want of bytes. */
  readonly longest: { readonly ms: number; readonly time: number; readonly dryMs: number }
}

/** What goes wrong in mid-play, and how it is put right. */
interface Trouble {
  readonly what: string
  /** `victim`: the appliance that serves. */
  readonly strike: (victim: string) => void | Promise<void>
  readonly mend: (victim: string) => void | Promise<void>
  /** Whether the victim may serve all the same. */
  readonly spares?: boolean
  /** Whether the player had to get over it by itself: steering has not known in time. */
  readonly isMet: (later: readonly Served[], failures: readonly Failure[], victim: string) => boolean
  /** Play on to the end of the film. */
  readonly toEnd?: boolean
}

/** Run in the page: notes for how long the picture stands still, and for how long of that there is nothing to show: a busy machine may not get to it. */
const WATCH = `(() => {
  const { video } = play
  const longest = { ms: 0, time: 0, dryMs: 0 }
  let last = video.currentTime, movedMs = performance.now(), wetMs = movedMs
  globalThis.watched = longest
  setInterval(() => {
    const now = performance.now()
    const { buffered, currentTime } = video
    const isDry = buffered.length === 0 || buffered.end(buffered.length - 1) - currentTime < 0.1
    if (currentTime !== last) movedMs = wetMs = now
    else if (!isDry) wetMs = now
    if (last > 0 && !video.ended) {
      if (now - movedMs > longest.ms) Object.assign(longest, { ms: now - movedMs, time: last })
      longest.dryMs = Math.max(longest.dryMs, now - wetMs)
    }
    last = currentTime
  }, 50)
})()`
const LOOK = `(() => {
  const { video, served, failures } = play
  const { currentTime: time, buffered } = video
  return { time, buffered: buffered.length > 0 ? buffered.end(buffered.length - 1) - time : 0, ended: video.ended, frames: video.getVideoPlaybackQuality().totalVideoFrames,
    error: video.error && video.error.message, nowMs: performance.now(), served, failures, longest: watched }
})()`

/** Run in the page as trouble strikes: has it ask for some segments at once, and watches from then on. */
const ASK_AHEAD = `(() => {
  Object.assign(watched, { ms: 0, time: 0, dryMs: 0 })
  play.hls.config.maxMaxBufferLength = play.hls.config.maxBufferLength = ${BUFFERED_SECONDS + (AT_ONCE * SEGMENT_MS) / 1000 - 1}
  return performance.now()
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
  #page = ''
  #files: readonly string[] = []
  #dead: string | undefined
  readonly wrongs: string[] = []
  /** How long the picture has stood still, by trouble: ms, and ms for want of bytes. */
  readonly stills = new Map<string, readonly number[]>()

  readonly #troubles: readonly Trouble[] = [
    {
      what: 'the appliance hangs',
      strike: (victim) => signal(this.#up.agents().get(victim)!, 'SIGSTOP'),
      mend: (victim) => signal(this.#up.agents().get(victim)!, 'SIGCONT'),
      isMet: (_, failures, victim) => failures.some(({ appliance }) => appliance === victim),
    },
    {
      what: 'the appliance has lost its files, and answers 404',
      strike: (victim) => {
        const content = join(this.#up.rootOf(victim), 'content')
        for (const entry of readdirSync(content, { recursive: true, withFileTypes: true }))
          if (entry.isFile()) rmSync(join(entry.parentPath, entry.name))
      },
      mend: () => {},
      // It fetches them anew.
      spares: true,
      isMet: (_, failures) => failures.some(({ why }) => why === 'it answers 404'),
    },
    {
      what: 'steering hangs, with all of the control plane',
      strike: () => this.#up.hang(),
      mend: () => this.#up.resume(),
      spares: true,
      isMet: (later) => later.some(({ unsaid }) => unsaid),
    },
    {
      what: 'the appliance is killed, and stays dead',
      strike: (victim) => {
        this.#dead = victim
        void this.#keepDead()
      },
      mend: () => {
        this.#dead = undefined
      },
      // Who asks finds the port closed, if steering has not heard of it before: nothing is waited for.
      isMet: () => true,
      toEnd: true,
    },
  ]

  async run(): Promise<void> {
    const films = join(this.#up.dir, 'films')
    this.#command('bash', [join(EXAMPLE, 'film.sh'), films])
    this.#up.start('--origin', films, '--appliances', '4')
    await this.#up.until('the control plane is there', () => this.#up.said.includes('Ctrl-C stops everything'))
    const origin = /^Origin: (\S+)/m.exec(this.#up.said)![1]!
    this.#steering = /^Steering: (\S+)/m.exec(this.#up.said)![1]!
    this.#page = `${origin}/page/index.html?steering=${encodeURIComponent(this.#steering)}`
    const manifests = readdirSync(EXAMPLE)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(EXAMPLE, name), 'utf8').replaceAll('http://127.0.0.1:8480/', `${origin}/`))
    const apply = ['apply', '--no-wait', '--kubeconfig', join(this.#up.data, 'kubeconfig'), '-f', '-']
    this.#command(process.execPath, [MAIN, ...apply], manifests.join('---\n'))
    this.#files = readdirSync(join(films, 'film'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.\w+$/.test(name))
      .map((name) => `play/films/film/${name}`)
    await this.#holders()
    console.log(
      `${this.#files.length} files of HLS, each on two of the three appliances of its viewers' site and at the parent`,
    )
    await using browser = await Chromium.open('about:blank')
    for (const trouble of this.#troubles) {
      for (let plays = 1; !(await this.#play(browser, trouble)); plays++) {
        if (plays === PLAYS) throw new Error(`${trouble.what}: in ${PLAYS} plays the player has met nothing of it`)
        console.log('  steering had it from others before; once more')
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dead = undefined
    await this.#up[Symbol.asyncDispose]()
  }

  /** Who is named for each file, best first, once every file is at both sites, twice in Amsterdam. */
  async #holders(): Promise<ReadonlyMap<string, readonly string[]>> {
    const holders = new Map<string, readonly string[]>()
    await this.#up.until('every file is at both sites, twice in Amsterdam', async () => {
      for (const file of this.#files) {
        const named = await this.#ask(file)
        holders.set(file, named)
        if (named.length < 3) return false
      }
      return true
    })
    return holders
  }

  /** Plays, with trouble on the way. Returns whether the player has met it. */
  async #play(browser: Chromium, trouble: Trouble): Promise<boolean> {
    const holders = await this.#holders()
    await browser.goTo(this.#page)
    await this.#up.until('the page is there', () => browser.evaluate<boolean>('globalThis.play !== undefined'))
    await browser.evaluate(WATCH)
    let seen = await browser.evaluate<Seen>(LOOK)
    const look = async (done: (now: Seen) => boolean) => {
      seen = await browser.evaluate<Seen>(LOOK)
      if (seen.error) throw new Error(`the video ended with an error: ${seen.error}`)
      return done(seen)
    }
    // The segments that come after the newest, in its quality.
    const toCome = ({ served }: Seen) => {
      const { file } = served.findLast(isMedia)!
      return this.#files.filter((one) => isMedia({ file: one }) && dirname(one) === dirname(file) && one > file).sort()
    }
    await this.#up.until(`${PLAYED_SECONDS} s have been played, and the next segment is about to be asked for`, () =>
      look((now) => {
        const left = now.buffered - BUFFERED_SECONDS
        return now.time >= PLAYED_SECONDS && left > 0 && left < JUST_BEFORE_SECONDS && toCome(now).length > 0
      }),
    )
    const before = seen
    const next = toCome(before)
    const its = (appliance: string) => next.slice(0, AT_ONCE).filter((file) => holders.get(file)!.includes(appliance))
    const victim = [...new Set(before.served.map(({ appliance }) => appliance))].reduce((best, each) =>
      its(each).length > its(best).length ? each : best,
    )
    await trouble.strike(victim)
    const struckMs = await browser.evaluate<number>(ASK_AHEAD)
    console.log(
      `\n${trouble.what}, at ${before.time.toFixed(1)} s of ${FILM_SECONDS} s: ${victim}, which has served, and has ${its(victim).length} of the next ${AT_ONCE} segments`,
    )
    const later = () => seen.served.slice(before.served.length).filter(isMedia)
    const hasGoneOn = (now: Seen) => now.ended || (trouble.toEnd !== true && now.time >= before.time + GOES_ON_SECONDS)
    await this.#up.until(trouble.toEnd ? 'the film is played to its end' : 'it goes on', () => look(hasGoneOn))
    await trouble.mend(victim)
    this.#check(trouble, seen, later(), victim, struckMs)
    return trouble.isMet(later(), seen.failures, victim)
  }

  #check(trouble: Trouble, after: Seen, later: readonly Served[], victim: string, struckMs: number): void {
    const wrong = (text: string) => void this.wrongs.push(`${trouble.what}: ${text}`)
    for (const { file, appliance, unsaid, failed, ms, atMs } of later) {
      const told = failed.map((each) => `, after ${each.appliance} had failed (${each.why})`).join('')
      const whom = unsaid ? `${appliance}, as steering does not answer,` : appliance
      console.log(
        `  ${((atMs - struckMs) / 1000).toFixed(1)} s later: ${basename(file)} from ${whom} in ${ms} ms${told}`,
      )
    }
    const { ms, time, dryMs } = after.longest
    console.log(
      `  played to ${after.time.toFixed(1)} s, ${after.frames} frames; since then the picture stood still for ${Math.round(ms)} ms at most (at ${time.toFixed(1)} s), ${Math.round(dryMs)} ms for want of bytes; ${after.failures.length} attempts in vain`,
    )
    const known = this.stills.get(trouble.what) ?? [0, 0]
    this.stills.set(trouble.what, [Math.max(known[0]!, ms), Math.max(known[1]!, dryMs)])
    if (dryMs > SEGMENT_MS) wrong(`the picture stood still for ${Math.round(dryMs)} ms for want of bytes`)
    if (after.frames < after.time * 10) wrong(`only ${after.frames} frames were shown of ${after.time} s`)
    if (later.length < 3) wrong(`only ${later.length} segments were fetched after it: it proves nothing`)
    if (trouble.toEnd && after.time < FILM_SECONDS - 0.5) wrong(`the film ended at ${after.time} s`)
    if (trouble.spares === true) return
    // One answer may have been on its way.
    const bySame = later.filter(({ appliance, atMs }) => appliance === victim && atMs > struckMs + 500)
    if (bySame.length > 0) wrong(`${victim} served ${bySame.map(({ file }) => file).join(', ')} all the same`)
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
  const startedMs = performance.now()
  try {
    await drill.run()
  } catch (error) {
    drill.wrongs.push((error as Error).message)
  } finally {
    await drill[Symbol.asyncDispose]()
  }
  console.log('\nlongest that the picture stood still:')
  for (const [what, [ms = 0, dryMs = 0]] of drill.stills)
    console.log(`  ${Math.round(ms)} ms, ${Math.round(dryMs)} ms for want of bytes: ${what}`)
  console.log(`${Math.round((performance.now() - startedMs) / 1000)} s`)
  for (const wrong of drill.wrongs) console.error(`WRONG: ${wrong}`)
  process.exitCode = drill.wrongs.length > 0 ? 1 : 0
}
