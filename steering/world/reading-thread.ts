import { Worker } from 'node:worker_threads'

/** What the thread is told, and what it says. */
export interface Asked<Question> {
  readonly id: number
  readonly question: Question
}
export type Said<Answer> = { readonly id: number } & (
  | { readonly answer: Answer }
  | { readonly error: { readonly message: string; readonly code: string | undefined } }
)

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** A thread that has been asked nothing for so long ends: what it has read is a hundred megabytes that nobody needs any more. */
const IDLE_MS = 1000

/** Asks a thread of its own, which is there while there is something to answer, and answers with `answerQuestions`. */
export class ReadingThread<Question> {
  readonly #script: URL
  readonly #what: string
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #nextId = 1
  #closed = false

  /** `what` it reads, as in `the thread that reads catalogs`. */
  constructor(script: URL, what: string) {
    this.#script = script
    this.#what = what
  }

  /** Rejects with what the thread has thrown: its message, and its code where it had one. */
  ask<Answer>(question: Question): Promise<Answer> {
    if (this.#closed) return Promise.reject(new Error(`the thread that reads ${this.#what} was closed`))
    clearTimeout(this.#idle)
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject })
    this.#worker ??= this.#start()
    // Whoever waits for an answer gets it, even if nothing else goes on in this process.
    this.#worker.ref()
    this.#worker.postMessage({ id, question } satisfies Asked<Question>)
    return promise
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { env: {}, execArgv: ['--disable-warning=ExperimentalWarning'] })
    worker.on('message', (said: Said<never>) => this.#heard(said))
    worker.on('error', (error: Error) => this.#ended(worker, error))
    worker.on('exit', (code) =>
      this.#ended(worker, new Error(`the thread that reads ${this.#what} ended with ${code}`)),
    )
    return worker
  }

  #heard(said: Said<never>): void {
    const waiting = this.#waiting.get(said.id)
    this.#waiting.delete(said.id)
    if ('answer' in said) waiting?.resolve(said.answer)
    else waiting?.reject(Object.assign(new Error(said.error.message), said.error.code && { code: said.error.code }))
    if (this.#waiting.size > 0 || this.#closed) return
    this.#worker?.unref()
    this.#idle = setTimeout(() => {
      const worker = this.#worker
      this.#worker = undefined
      void worker?.terminate()
    }, IDLE_MS).unref()
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
