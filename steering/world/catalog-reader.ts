import { Worker } from 'node:worker_threads'
import { CatalogIndex, type CatalogTables } from './catalog-index.ts'
import type { FromCatalogReader, ToCatalogReader } from './catalog-messages.ts'

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

type Question = ToCatalogReader extends infer Q ? (Q extends unknown ? Omit<Q, 'id'> : never) : never

/** Reads catalogs on a thread of its own, which is there while there is something to read. */
export class CatalogReader {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #nextId = 1
  #closed = false

  /** The catalog in a blob's file. Rejects where its bytes are not those of the digest, or no catalog. */
  async read(digest: string, path: string): Promise<CatalogIndex> {
    return new CatalogIndex(digest, await this.#ask<CatalogTables>({ type: 'read', digest, path }))
  }

  /** Whether the blobs in two files are versions of one catalog, so that indices of the one can be used with the other. */
  alike(older: string, newer: string): Promise<boolean> {
    return this.#ask<boolean>({ type: 'alike', older, newer })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
  }

  #ask<T>(question: Question): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the reader of catalogs was closed'))
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject })
    this.#worker ??= this.#start()
    this.#worker.postMessage({ ...question, id })
    return promise
  }

  #start(): Worker {
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './catalog-worker.ts' : './catalog-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), {
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    worker.on('message', (message: FromCatalogReader) => this.#heard(message))
    worker.on('error', (error: Error) => this.#ended(worker, error))
    worker.on('exit', (code) => this.#ended(worker, new Error(`the thread that reads catalogs ended with ${code}`)))
    worker.unref()
    return worker
  }

  #heard(message: FromCatalogReader): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'failed') waiting?.reject(new Error(message.message))
    else waiting?.resolve((message.type === 'read' ? message.tables : message.alike) as never)
    if (this.#waiting.size > 0) return
    // What it has read is a hundred megabytes that nobody needs any more.
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
