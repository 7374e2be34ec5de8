import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** What a file holds, and the marks by which a later look tells that it has not changed since. */
export interface HashedFile {
  readonly size: number
  readonly sha256: string
  /** `size:mtimeNs:ctimeNs:inode` */
  readonly mark: string
}

const BLOCK_BYTES = 1 << 20

/** Where blocks are read to; one per thread is enough, since hashing is synchronous. */
let block: Buffer | undefined

/**
 * Hashes a file from disk, synchronously: call it where blocking is fine, as in a worker. A file that changes while it is read
 * is read once more; when it changes again an Error says so.
 */
export function hashFile(path: string): HashedFile {
  return hashOnce(path) ?? hashOnce(path) ?? refuse()
}

function refuse(): never {
  throw new Error('it changes while it is read')
}

function hashOnce(path: string): HashedFile | undefined {
  block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES)
  const buffer = block
  const fd = openSync(path, 'r')
  try {
    const mark = markOf(fd)
    const hash = createHash('sha256')
    let size = 0
    for (;;) {
      const read = readSync(fd, buffer, 0, BLOCK_BYTES, size)
      if (read === 0) break
      hash.update(buffer.subarray(0, read))
      size += read
    }
    if (markOf(fd) !== mark || !mark.startsWith(`${size}:`)) return undefined
    return { size, sha256: hash.digest('hex'), mark }
  } finally {
    closeSync(fd)
  }
}

function markOf(fd: number): string {
  const { size, mtimeNs, ctimeNs, ino } = fstatSync(fd, { bigint: true })
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`
}
