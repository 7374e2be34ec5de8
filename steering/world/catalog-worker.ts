import { readFileSync } from 'node:fs'
import { StoredCatalogFiles } from '../../reconcilers/blobs/catalog-lines.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { answerQuestions } from './answer-questions.ts'
import { type CatalogTables, catalogTables } from './catalog-index.ts'
import type { CatalogQuestion } from './catalog-messages.ts'

// Catalogs of a million files take seconds to read: here, so that answers do not wait.

answerQuestions<CatalogQuestion, CatalogTables | boolean>(
  (question) =>
    question.type === 'read' ? read(question.digest, question.path) : numberedAlike(question.older, question.newer),
  (answer) =>
    Object.values(answer)
      .filter((part) => ArrayBuffer.isView(part))
      .map(({ buffer }) => buffer as ArrayBuffer),
)

function read(digest: string, path: string): CatalogTables {
  const bytes = readFileSync(path)
  const actual = digestOf(bytes)
  if (actual !== digest) throw new Error(`the blob is damaged: its bytes are ${actual}`)
  const files = new StoredCatalogFiles(bytes)
  // Sizes and digests are some 100 bytes of each line; what is left is about the text.
  return catalogTables(files, files.length, Math.max(1024, bytes.length - files.length * 90))
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
