import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { partition } from '../../reconcilers/placement/partition.ts'
import { joinPlaced, type Placed, place } from '../../reconcilers/placement/placed.ts'
import type { PlacementProblem } from '../../reconcilers/placement/problem.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { placedFrom, problemMessage, type SolverJob, type SolverMessage } from './solver-messages.ts'

export interface SolverThreadsOptions {
  /** At most so many threads; by default one a core, up to four. */
  readonly threads?: number
  /** Sites × files up to which a problem is solved here and now: it takes milliseconds. */
  readonly inlineUpTo?: number
  /** After so long, solvers end with the best that they have. Ten minutes unless told. */
  readonly deadlineMs?: number
  readonly clock?: Clock
  readonly onProgress?: (done: number) => void
}

/** Memory of one solver thread, in MiB: dense columns of a million files take some 100. */
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
  }: SolverThreadsOptions = {},
): Promise<Placed> {
  signal.throwIfAborted()
  if (problem.sites.length * problem.sizes.length <= inlineUpTo)
    return place(problem, defaultSolver, { catalogDigest, digest: digestOf })
  const end = new SharedArrayBuffer(4)
  const parts = partition(problem, threads)
  const done = new Float64Array(parts.length)
  const stop = new AbortController()
  const cancelDeadline = clock.after(deadlineMs, () => Atomics.store(new Int32Array(end), 0, 1))
  try {
    const placed = parts.map((part, i) =>
      runThread(
        { problem: problemMessage(part), catalogDigest, end },
        AbortSignal.any([signal, stop.signal]),
        (far) => {
          done[i] = far
          onProgress?.(done.reduce((sum, each) => sum + each, 0) / parts.length)
        },
      ),
    )
    return joinPlaced(await Promise.all(placed))
  } finally {
    cancelDeadline()
    // Where one part has failed, the others are of no use.
    stop.abort()
  }
}

function runThread(job: SolverJob, signal: AbortSignal, onProgress: (done: number) => void): Promise<Placed> {
  return new Promise((resolve, reject) => {
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './solver-worker.ts' : './solver-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), {
      workerData: job,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    })
    const abort = () => {
      void worker.terminate()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    worker.on('message', (message: SolverMessage) => {
      if ('done' in message) onProgress(message.done)
      else resolve(placedFrom(message.placed))
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', abort)
      reject(new Error(`a solver thread ended with ${code}`))
    })
  })
}
