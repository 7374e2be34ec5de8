import { parentPort, workerData } from 'node:worker_threads'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { place } from '../../reconcilers/placement/placed.ts'
import type { PlannedBlob } from '../../reconcilers/plan.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { placedMessage, problemFrom, type SolverJob, type SolverMessage } from './solver-messages.ts'

const { problem, catalogDigest, end, unstored } = workerData as SolverJob
const flag = new Int32Array(end)
const say = (message: SolverMessage, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer)

/** Manifests on their way to the store, in bytes, beyond which the solver waits for it. */
const UNSTORED_BYTES = 32 * 1024 * 1024

/** Hands manifests over as they are made, no faster than they are stored. */
function storeElsewhere(buffer: SharedArrayBuffer) {
  const waiting = new Int32Array(buffer)
  return ({ digest, bytes }: PlannedBlob) => {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('manifests are in one piece')
    for (let now = Atomics.load(waiting, 0); now > UNSTORED_BYTES; now = Atomics.load(waiting, 0))
      Atomics.wait(waiting, 0, now)
    Atomics.add(waiting, 0, bytes.length)
    say({ blob: { digest, bytes } }, [bytes.buffer as ArrayBuffer])
  }
}

const placed = place(
  problemFrom(problem),
  defaultSolver,
  { catalogDigest, digest: digestOf, ...(unstored && { store: storeElsewhere(unstored) }) },
  { shouldEnd: () => Atomics.load(flag, 0) === 1, onProgress: (done, soFar) => say({ done, ...(soFar && { soFar }) }) },
)
const buffers = placed.appliances.flatMap(({ manifest: { bytes } }) =>
  bytes instanceof Uint8Array ? [bytes.buffer as ArrayBuffer] : [],
)
say({ placed: placedMessage(placed) }, buffers)
