import { Worker } from 'node:worker_threads'
import type { CountedRow } from '../../reconcilers/demand/counts.ts'
import { WINDOW_DAYS } from '../../reconcilers/demand/counts.ts'
import type { Publication } from '../../reconcilers/demand/publication.ts'
import type { DemandStore } from './store.ts'

/** What a counting thread is started with. */
export interface CountingJob {
  /** Where demand is kept, as `--demand` names it: the thread opens it itself. */
  readonly where: string
  readonly name: string
  readonly today: number
  readonly catalog: { readonly digest: string; readonly bytes: Uint8Array; readonly demand: Uint8Array }
}

/** Heap of the thread, in MiB: a million files, all of them counted in sixteen classes of demand, take 1,300, and as much beside the heap. */
const THREAD_HEAP_MIB = 2048
/** Days read at a time. */
const DAYS_AT_ONCE = 7

/** Sums up and foretells on a thread of its own: appliances are heard meanwhile. Stopped by `signal`, with its reason; rejects with what the thread failed with. */
export function countOnThread(job: CountingJob, signal: AbortSignal): Promise<Publication> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './count-worker.ts' : './count-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), {
      workerData: job,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    })
    const abort = () => {
      void worker.terminate()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    worker.on('message', resolve)
    worker.on('error', reject)
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', abort)
      reject(new Error(`the counting thread ended with ${code}`))
    })
  })
}

/** What was counted of a catalog in the days before one, class by class and week by week, so that never all of it is in memory. */
export async function* countedRows(
  store: Pick<DemandStore, 'classes' | 'files'>,
  catalog: string,
  today: number,
): AsyncGenerator<readonly CountedRow[]> {
  for (const demandClass of await store.classes(catalog))
    for (let day = today - WINDOW_DAYS; day < today; day += DAYS_AT_ONCE)
      yield await store.files(catalog, day, Math.min(today, day + DAYS_AT_ONCE), demandClass)
}
