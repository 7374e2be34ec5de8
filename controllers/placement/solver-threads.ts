import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { SoFar } from '../../reconcilers/placement/control.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { partition } from '../../reconcilers/placement/partition.ts'
import { joinPlaced, type Placed, place } from '../../reconcilers/placement/placed.ts'
import type { PlacementProblem } from '../../reconcilers/placement/problem.ts'
import type { PlannedBlob } from '../../reconcilers/plan.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { shared } from './shared.ts'
import { placedFrom, problemMessage, type SolverJob, type SolverMessage } from './solver-messages.ts'

export interface SolverThreadsOptions {
  /** At most so many threads; by default one a core, up to four. */
  readonly threads?: number
  /** Sites × files up to which a problem is solved here and now: it takes milliseconds. */
  readonly inlineUpTo?: number
  /** After so long, solvers end with the best that they have. Ten minutes unless told. */
  readonly deadlineMs?: number
  readonly clock?: Clock
  /** Told now and then how much is done, 0–1, and what there is by then. */
  readonly onProgress?: (done: number, soFar: SoFar) => void
  /** Stores manifests while the rest is being placed; the answer then only names them. Unless given, the answer has all of them in memory. */
  readonly store?: (blob: PlannedBlob) => Promise<unknown>
}

const NOTHING_YET: SoFar = { sites: 0, value: 0, bound: 0 }

/** The most that the heap of one solver thread may take, in MiB; its columns are outside of it. */
const THREAD_HEAP_MIB = 2048

/**
 * Solves a problem by the solver in force on threads of their own, so that nothing else waits for it: its parts at the same time. Stopped by `signal`, with its reason.
 * Rejects with what a thread failed with.
 */
export async function solveOnThreads(
  problem: PlacementProblem,
  catalogDigest: string,
  signal: AbortSignal,
  {
    threads = Math.min(4, availableParallelism()),
    inlineUpTo = 500_000,
    deadlineMs = 600_000,
    clock = systemClock,
    onProgress,
    store,
  }: SolverThreadsOptions = {},
): Promise<Placed> {
  signal.throwIfAborted()
  if (problem.sites.length * problem.sizes.length <= inlineUpTo)
    return place(problem, defaultSolver, { catalogDigest, digest: digestOf })
  const end = new SharedArrayBuffer(4)
  const parts = partition(withSharedColumns(problem), threads)
  const progress: { done: number; soFar: SoFar }[] = parts.map(() => ({ done: 0, soFar: NOTHING_YET }))
  const stop = new AbortController()
  const cancelDeadline = clock.after(deadlineMs, () => Atomics.store(new Int32Array(end), 0, 1))
  try {
    const placed = parts.map((part, i) =>
      runThread(
        { problem: problemMessage(part), catalogDigest, end },
        AbortSignal.any([signal, stop.signal]),
        (done, soFar = NOTHING_YET) => {
          progress[i] = { done, soFar }
          const sum = (of: keyof SoFar) => progress.reduce((total, each) => total + each.soFar[of], 0)
          onProgress?.(progress.reduce((total, each) => total + each.done, 0) / parts.length, {
            sites: sum('sites'),
            value: sum('value'),
            bound: sum('bound'),
          })
        },
        store,
      ),
    )
    return joinPlaced(await Promise.all(placed))
  } finally {
    cancelDeadline()
    // Where one part has failed, the others are of no use.
    stop.abort()
  }
}

/** Parts of a problem share their columns; made shared part by part, each would have its own. */
function withSharedColumns(problem: PlacementProblem): PlacementProblem {
  const { sizes, popularity, fileHashes } = problem
  return { ...problem, sizes: shared(sizes), popularity: popularity.map(shared), fileHashes: shared(fileHashes) }
}

function runThread(
  job: SolverJob,
  signal: AbortSignal,
  onProgress: (done: number, soFar?: SoFar) => void,
  store: SolverThreadsOptions['store'],
): Promise<Placed> {
  return new Promise((resolve, reject) => {
    const storing = store && new Storing(store)
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './solver-worker.ts' : './solver-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), {
      workerData: storing ? { ...job, unstored: storing.unstored } : job,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    })
    let failed = false
    const fail = (error: unknown) => {
      // Where one manifest cannot be stored, many cannot.
      if (failed) return
      failed = true
      void worker.terminate()
      reject(error)
    }
    const abort = () => fail(signal.reason)
    let answered = false
    signal.addEventListener('abort', abort, { once: true })
    worker.on('message', (message: SolverMessage) => {
      if ('done' in message) onProgress(message.done, message.soFar)
      else if ('blob' in message) storing?.take(message.blob).catch(fail)
      else {
        answered = true
        // What it said before may still be on its way to the store.
        const stored = storing?.done() ?? Promise.resolve()
        stored.then(() => resolve(placedFrom(message.placed)), fail)
      }
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', abort)
      if (!answered) reject(new Error(`a solver thread ended with ${code}`))
    })
  })
}

/** Manifests of a thread on their way to the store. */
class Storing {
  readonly unstored = new SharedArrayBuffer(4)
  readonly #store: (blob: PlannedBlob) => Promise<unknown>
  readonly #under = new Set<Promise<void>>()

  constructor(store: (blob: PlannedBlob) => Promise<unknown>) {
    this.#store = store
  }

  async take(blob: PlannedBlob & { readonly bytes: Uint8Array }): Promise<void> {
    const stored = this.#put(blob).finally(() => this.#under.delete(stored))
    this.#under.add(stored)
    await stored
  }

  async done(): Promise<void> {
    await Promise.all(this.#under)
  }

  async #put(blob: PlannedBlob & { readonly bytes: Uint8Array }): Promise<void> {
    await this.#store(blob)
    const waiting = new Int32Array(this.unstored)
    Atomics.sub(waiting, 0, blob.bytes.length)
    Atomics.notify(waiting, 0)
  }
}
