import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))
const PATIENCE_MS = 90_000

/** Sends a signal to a process, which may have ended since it was found. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** `weir up` as a process of its own, in a folder of its own, with agents that can be hung and killed. */
export class WeirUp implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'weir-drill-'))
  /** Where `weir up` keeps everything. */
  readonly data = join(this.dir, 'data')
  #process: ChildProcess | undefined
  #said = ''

  /** All that it has said. */
  get said(): string {
    return this.#said
  }

  start(...flags: readonly string[]): void {
    const ports = ['--port', '0', '--gateway-port', '0', '--origin-port', '0', '--steering-port', '0']
    const args = [MAIN, 'up', '--dir', this.data, ...ports, ...flags]
    this.#process = spawn(process.execPath, args, { cwd: this.dir, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }

  /** Waits until it is so. Throws, with what was said, where that takes too long or `weir up` ends. */
  async until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS
    while (!(await look())) {
      if (!this.#isRunning) throw new Error(`weir up ended:\n${this.#said}`)
      if (performance.now() > endMs) throw new Error(`did not come true: ${what}\n${this.#said}`)
      await sleep(50)
    }
  }

  /** Stops it in its tracks, with the control plane, the origin and steering in it: connections are taken, and nothing is answered. Its agents go on. */
  hang(): void {
    this.#process!.kill('SIGSTOP')
  }

  /** Has it go on. */
  resume(): void {
    this.#process!.kill('SIGCONT')
  }

  /** Processes of the agents, by appliance. */
  agents(): Map<string, number> {
    return new Map(this.#running().map(({ appliance, pid }) => [appliance, pid]))
  }

  /** Where an appliance's agent keeps everything. */
  rootOf(appliance: string): string {
    return this.#running().find((agent) => agent.appliance === appliance)!.root
  }

  #running(): { readonly appliance: string; readonly pid: number; readonly root: string }[] {
    const found: { readonly appliance: string; readonly pid: number; readonly root: string }[] = []
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        const root = words[words.indexOf('--root') + 1]
        if (root?.startsWith(this.dir))
          found.push({ appliance: words[words.indexOf('--appliance') + 1]!, pid: Number(pid), root })
      } catch {
        // It has ended since.
      }
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isRunning) {
      const ended = once(this.#process!, 'exit')
      // What hangs would not end.
      for (const pid of this.agents().values()) signal(pid, 'SIGCONT')
      this.resume()
      this.#process!.kill('SIGTERM')
      await ended
    }
    rmSync(this.dir, { recursive: true, force: true })
  }

  get #isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }
}
