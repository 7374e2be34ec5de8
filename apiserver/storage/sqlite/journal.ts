import { Worker } from 'node:worker_threads'
import { StoreError } from '../errors.ts'
import type { Journal, JournalContent, JournalRecord } from '../journal.ts'
import { pack, unpack } from './packed.ts'
import type { Reply, Request, WorkerData } from './protocol.ts'

/**
 * A journal in one SQLite database (write-ahead log, synchronous), on a thread of its own. The thread starts, and reads, at once.
 * @param file Created where it is not there, with its folder.
 */
export function sqliteJournal(file: string): Journal {
  const thread = new Thread({ file })
  const records: JournalRecord[] = []
  const loaded = (async (): Promise<JournalContent> => {
    for (;;) {
      const reply = await thread.next()
      if (reply.type === 'loaded') return { revision: reply.revision, records }
      if (reply.type === 'records') unpack(reply.records, records)
    }
  })()
  // Whoever calls load() hears of it.
  loaded.catch(() => {})

  return {
    load: () => loaded,
    async append(events) {
      const entries = pack(events)
      thread.send({ type: 'append', entries }, [entries.json.buffer])
      await thread.next()
    },
    async close() {
      if (!thread.ended) {
        thread.send({ type: 'close' })
        await thread.next()
      }
      await thread.exited
    },
  }
}

/** The worker thread as a conversation: messages out, replies in, each awaited by one caller at a time. */
class Thread {
  readonly #worker: Worker
  readonly #replies: Reply[] = []
  #reader: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined
  #end: Error | undefined
  readonly exited: Promise<void>

  constructor(data: WorkerData) {
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const execArgv = ['--disable-warning=ExperimentalWarning']
    this.#worker = new Worker(new URL(script, import.meta.url), { workerData: data, execArgv, env: {} })
    this.#worker.on('message', (reply: Reply) => this.#take(reply))
    this.#worker.on('error', (error) => this.#stop(error instanceof Error ? error : new Error(String(error))))
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#stop(new Error('the storage thread has ended'))
        resolve()
      })
    })
  }

  get ended(): boolean {
    return this.#end !== undefined
  }

  send(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, [...transfer])
  }

  /** The next reply; a failure, or the end of the thread, rejects. */
  next(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const reply = this.#replies.shift()
      if (reply?.type === 'failed') reject(new StoreError(reply.code, reply.message))
      else if (reply) resolve(reply)
      else if (this.#end) reject(this.#end)
      else this.#reader = { resolve, reject }
    })
  }

  #take(reply: Reply): void {
    const reader = this.#reader
    this.#reader = undefined
    if (!reader) this.#replies.push(reply)
    else if (reply.type === 'failed') reader.reject(new StoreError(reply.code, reply.message))
    else reader.resolve(reply)
  }

  #stop(error: Error): void {
    this.#end ??= error
    this.#reader?.reject(this.#end)
    this.#reader = undefined
  }
}
