import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from './controller-process.ts'

export interface Exit {
  readonly name: string
  /** Null where a signal ended it. */
  readonly code: number | null
  /** What it said last. */
  readonly said: unknown
}

/** How long before what has ended is started again, as a kubelet does. */
const RESTART_MS = 1000

/** A program that is started again whenever it ends, as Kubernetes does with the containers of a pod. */
export class Supervised implements AsyncDisposable {
  /** Every time that it has ended by itself. */
  readonly exits: Exit[] = []
  readonly name: string
  readonly #start: () => Program
  readonly #running: Promise<void>
  #program: Program
  #stopped = false

  constructor(name: string, start: () => Program) {
    this.name = name
    this.#start = start
    this.#program = start()
    this.#running = this.#run()
  }

  /** The process that runs now, or ran last. */
  get program(): Program {
    return this.#program
  }

  /** What the port of its metrics answers; undefined where that is not 200. */
  async ask(path: '/healthz' | '/readyz' | '/metrics'): Promise<string | undefined> {
    const started = this.#program.log.find(({ url }) => url !== undefined)
    if (started === undefined) return undefined
    try {
      const response = await fetch(`${started.metrics ?? started.url}${path}`, { signal: AbortSignal.timeout(2000) })
      const text = await response.text()
      return response.ok ? text : undefined
    } catch {
      return undefined
    }
  }

  /** Ends it for good; its exit code. */
  async stop(): Promise<number | null> {
    this.#stopped = true
    this.#program.kill('SIGTERM')
    const code = await this.#program.exited
    await this.#running
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#program[Symbol.asyncDispose]()
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      const code = await this.#program.exited
      if (this.#stopped) return
      this.exits.push({ name: this.name, code, said: this.#program.log.at(-1) })
      await delay(RESTART_MS)
      if (this.#stopped) return
      this.#program = this.#start()
    }
  }
}
