import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { HashedFile } from './hash-file.ts'
import type { HashAnswer, HashJob } from './hash-worker.ts'
import type { TreeFile } from './walk.ts'

export interface HashedTree {
  /** In the order of the files given. */
  readonly files: readonly (TreeFile & HashedFile)[]
  /** Files that could not be hashed, and why. */
  readonly failed: readonly { readonly path: string; readonly error: string }[]
}

export interface HashTreeOptions {
  /** What an earlier run found, by path: files whose marks are unchanged are not read again. */
  readonly known?: ReadonlyMap<string, HashedFile>
  /** Called as files are done. */
  readonly onProgress?: (files: number, bytes: number) => void
  readonly signal?: AbortSignal
}

const MAX_WORKERS = 4
const BATCH_FILES = 32

/** Hashes files on worker threads, as many as there are cores (up to four). Rejects only when aborted. */
export async function hashTree(files: readonly TreeFile[], options: HashTreeOptions = {}): Promise<HashedTree> {
  const answers: (HashAnswer | undefined)[] = new Array(files.length)
  let next = 0
  let done = 0
  let bytes = 0
  const work = async () => {
    const worker = new Worker(
      new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url),
    )
    const abort = () => void worker.terminate()
    options.signal?.addEventListener('abort', abort, { once: true })
    try {
      while (next < files.length) {
        const from = next
        const batch = files.slice(from, from + BATCH_FILES)
        next += batch.length
        const jobs = batch.map(({ path, absolute }): HashJob => ({ absolute, known: options.known?.get(path) }))
        const found = await ask(worker, jobs)
        found.forEach((answer, index) => {
          answers[from + index] = answer
          if ('size' in answer) bytes += answer.size
        })
        done += found.length
        options.onProgress?.(done, bytes)
      }
    } finally {
      options.signal?.removeEventListener('abort', abort)
      await worker.terminate()
    }
  }
  const count = Math.min(availableParallelism(), MAX_WORKERS, Math.ceil(files.length / BATCH_FILES))
  try {
    await Promise.all(Array.from({ length: count }, work))
  } finally {
    options.signal?.throwIfAborted()
  }
  const hashed: (TreeFile & HashedFile)[] = []
  const failed: { path: string; error: string }[] = []
  files.forEach((file, index) => {
    const answer = answers[index]
    if (answer && 'size' in answer) hashed.push({ ...file, ...answer })
    else failed.push({ path: file.path, error: answer?.error ?? 'it was not read' })
  })
  return { files: hashed, failed }
}

function ask(worker: Worker, jobs: readonly HashJob[]): Promise<readonly HashAnswer[]> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    const onMessage = (answers: readonly HashAnswer[]) => {
      settle()
      resolve(answers)
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const onExit = () => onError(new Error('a hashing thread ended early'))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(jobs)
  })
}
