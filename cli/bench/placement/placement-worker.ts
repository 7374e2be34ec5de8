import { parentPort, workerData } from 'node:worker_threads'
import { type PartJob, placePart } from './place-part.ts'

parentPort?.postMessage(placePart(workerData as PartJob))
