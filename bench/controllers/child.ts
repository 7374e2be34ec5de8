import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ended, processCpuSeconds } from '../apiserver/server-under-test.ts'
import { within } from './within.ts'

/** What a process of a measurement answers to, by name. Arguments and answers are JSON. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>

interface Ask {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}
interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A process of its own that is asked to do things, so that its CPU time is told apart from everybody else's. */
export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0

  /** `script`: a module beside this one that calls `answerAsks`. To look closer: WEIR_BENCH_CHILD_FLAGS="--cpu-prof --cpu-prof-dir=DIR". */
  constructor(script: string) {
    const execArgv = process.env.WEIR_BENCH_CHILD_FLAGS?.split(' ') ?? []
    this.#process = fork(fileURLToPath(new URL(script, import.meta.url)), { execArgv })
    this.#process.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer))
    this.#process.once('exit', (code, signal) => {
      for (const [id, answered] of this.#waiting) answered({ id, error: `${script} ended with ${code ?? signal}` })
    })
  }

  get cpuSeconds(): number {
    return processCpuSeconds(this.#process.pid!)
  }

  /** Rejects when it fails, ends, or has not answered in time. */
  async ask<T = void>(name: string, argument: unknown, timeoutMs: number): Promise<T> {
    const id = ++this.#asked
    const answer = await within(
      timeoutMs,
      name,
      new Promise<Answer>((resolve) => {
        this.#waiting.set(id, resolve)
        this.#process.send({ id, name, argument } satisfies Ask)
      }),
    )
    this.#waiting.delete(id)
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`)
    return answer.value as T
  }

  stop(): Promise<void> {
    return ended(this.#process)
  }
}

/** Answers what the parent asks, until it goes. */
export function answerAsks(handlers: Handlers): void {
  process.on('message', async ({ id, name, argument }: Ask) => {
    try {
      process.send?.({ id, value: await handlers[name]!(argument as never) } satisfies Answer)
    } catch (error) {
      process.send?.({ id, error: (error as Error).stack ?? String(error) } satisfies Answer)
    }
  })
  process.once('disconnect', () => process.exit())
  process.once('SIGTERM', () => process.exit())
}
