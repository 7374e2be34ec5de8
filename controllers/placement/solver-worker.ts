import { parentPort, workerData } from 'node:worker_threads'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { place } from '../../reconcilers/placement/placed.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { placedMessage, problemFrom, type SolverJob, type SolverMessage } from './solver-messages.ts'

const { problem, catalogDigest, end } = workerData as SolverJob
const flag = new Int32Array(end)
const say = (message: SolverMessage, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer)

const placed = place(
  problemFrom(problem),
  defaultSolver,
  { catalogDigest, digest: digestOf },
  { shouldEnd: () => Atomics.load(flag, 0) === 1, onProgress: (done) => say({ done }) },
)
const buffers = placed.appliances.map(({ manifest }) => (manifest.bytes as Uint8Array).buffer as ArrayBuffer)
say({ placed: placedMessage(placed) }, buffers)
