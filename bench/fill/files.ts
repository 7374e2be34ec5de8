import { createHash, randomFillSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CatalogFile } from '../../reconcilers/blobs/catalog.ts'

const MIB = 1 << 20

export interface FileTree {
  readonly name: string
  readonly folder: string
  readonly files: readonly CatalogFile[]
  readonly bytes: number
}

/** A few large files, as films are. */
export function makeFilms(folder: string): FileTree {
  return makeTree(folder, '4 files of 256 MiB', new Array(4).fill(256 * MIB))
}

/** Many files whose sizes are spread as in a documentation tree: most are small, most bytes are in the few that are not. */
export function makeDocs(folder: string): FileTree {
  const weights = Array.from({ length: 10_000 }, (_, i) => Math.exp(1.8 * gaussian(i)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const sizes = weights.map((weight) => Math.min(64 * MIB, Math.round((weight / total) * 1.05 * 1024 * MIB)))
  return makeTree(folder, '10,000 files, 1 GiB', sizes)
}

function makeTree(folder: string, name: string, sizes: readonly number[]): FileTree {
  const noise = randomFillSync(Buffer.allocUnsafe(Math.max(...sizes)))
  let bytes = 0
  const files = sizes.map((size, i): CatalogFile => {
    const path = `${i % 100}/file-${i}`
    const body = noise.subarray(0, size)
    if (size >= 4) body.writeUInt32LE(i, 0)
    if (i < 100) mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), body)
    bytes += size
    return { path, size, sha256: createHash('sha256').update(body).digest('hex') }
  })
  return { name, folder, files, bytes }
}

/** Always the same for the same place: Box and Muller's method over a low-discrepancy sequence. */
function gaussian(i: number): number {
  const u = (0.5 + i * 0.618_033_988_749_895) % 1
  const v = (0.5 + i * 0.754_877_666_246_693) % 1
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
}
