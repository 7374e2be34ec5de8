import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { StoredCatalogFiles } from '../../reconcilers/blobs/catalog-lines.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { catalogTables } from './catalog-index.ts'
import type { FromCatalogReader, ToCatalogReader } from './catalog-messages.ts'

// Catalogs of a million files take seconds to read: here, so that answers do not wait.

parentPort?.on('message', (message: ToCatalogReader) => {
  try {
    if (message.type === 'read') read(message.id, message.digest, message.path)
    else say({ type: 'alike', id: message.id, alike: numberedAlike(message.older, message.newer) })
  } catch (error) {
    say({ type: 'failed', id: message.id, message: (error as Error).message })
  }
})

function say(message: FromCatalogReader, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

function read(id: number, digest: string, path: string): void {
  const bytes = readFileSync(path)
  const actual = digestOf(bytes)
  if (actual !== digest) throw new Error(`the blob is damaged: its bytes are ${actual}`)
  const files = new StoredCatalogFiles(bytes)
  // Sizes and digests are some 100 bytes of each line; what is left is about the text.
  const tables = catalogTables(files, files.length, Math.max(1024, bytes.length - files.length * 90))
  const arrays = Object.values(tables).filter((part) => ArrayBuffer.isView(part))
  say(
    { type: 'read', id, tables },
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  )
}

function numberedAlike(older: string, newer: string): boolean {
  const others = new StoredCatalogFiles(readFileSync(newer))[Symbol.iterator]()
  for (const file of new StoredCatalogFiles(readFileSync(older))) {
    const { value: other, done } = others.next()
    if (done) return true
    if (file && other && (file.path !== other.path || file.sha256 !== other.sha256)) return false
  }
  return true
}
