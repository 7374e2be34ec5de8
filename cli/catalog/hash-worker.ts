import { statSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { type HashedFile, hashFile } from './hash-file.ts'

/** A file to hash; `known` is what an earlier run found. */
export interface HashJob {
  readonly absolute: string
  readonly known: HashedFile | undefined
}

export type HashAnswer = HashedFile | { readonly error: string }

parentPort?.on('message', (jobs: readonly HashJob[]) => {
  parentPort?.postMessage(jobs.map(answer))
})

function answer({ absolute, known }: HashJob): HashAnswer {
  try {
    return known && unchanged(absolute, known.mark) ? known : hashFile(absolute)
  } catch (error) {
    return { error: (error as Error).message }
  }
}

function unchanged(absolute: string, mark: string): boolean {
  const { size, mtimeNs, ctimeNs, ino } = statSync(absolute, { bigint: true })
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}` === mark
}
