import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))

/** A `weir controller` or `weir gateway` as a process of its own. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess
  /** The lines of its log, parsed; `{ text }` for what is none. */
  readonly log: Record<string, unknown>[] = []
  readonly #exited: Promise<number | null>
  readonly #listeners = new Set<() => void>()

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const { PATH, HOME } = process.env
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    this.#exited = once(this.child, 'close').then(([code]) => code as number | null)
    createInterface({ input: this.child.stderr! }).on('line', (line) => {
      this.log.push(parsed(line))
      for (const listener of this.#listeners) listener()
    })
  }

  /** Its exit code; null where a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#exited
  }

  /** The first line of the log with this message, once it is there. Rejects when the program ends before. */
  async said(message: string): Promise<Record<string, unknown>> {
    const found = () => this.log.find((line) => line.msg === message)
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
    const look = () => {
      const line = found()
      if (line) resolve(line)
    }
    this.#listeners.add(look)
    look()
    void this.#exited.then((code) => reject(new Error(`ended with ${code}:\n${JSON.stringify(this.log, null, 1)}`)))
    try {
      return await promise
    } finally {
      this.#listeners.delete(look)
    }
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.#exited
  }
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { text: line }
  }
}
