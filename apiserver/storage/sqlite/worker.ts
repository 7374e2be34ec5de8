import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { StoreError } from '../errors.ts'
import { Database } from './database.ts'
import type { Reply, Request, WorkerData } from './protocol.ts'

// The thread that waits for the disk, so that the event loop of the API server does not.

/** Starts with everything that is stored, then appends as told. */
function serve(port: MessagePort, { file }: WorkerData): void {
  const database = answer(port, () => new Database(file))
  if (!database) {
    port.close()
    return
  }
  port.on('message', (request: Request) => {
    answer(port, () => {
      if (request.type === 'append') database.append(request.entries)
      else database.close()
      reply(port, { type: request.type === 'append' ? 'appended' : 'closed' })
      if (request.type === 'close') port.close()
    })
  })
  answer(port, () => {
    for (const records of database.records()) reply(port, { type: 'records', records }, [records.json.buffer])
    reply(port, { type: 'loaded', revision: database.revision })
  })
}

function answer<T>(port: MessagePort, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'Unavailable'
    reply(port, { type: 'failed', code, message: error instanceof Error ? error.message : String(error) })
  }
}

function reply(port: MessagePort, message: Reply, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, [...transfer])
}

if (parentPort) serve(parentPort, workerData)
