import { parentPort, workerData } from 'node:worker_threads'
import { makePublication } from '../../reconcilers/demand/publication.ts'
import { type CountingJob, countedRows } from './count.ts'
import { openDemandStore } from './open.ts'

const { where, name, today, catalog } = workerData as CountingJob
const store = await openDemandStore(where)
try {
  const made = await makePublication(catalog, today, countedRows(store, name, today))
  parentPort?.postMessage(made)
} finally {
  await store.close()
}
