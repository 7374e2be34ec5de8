import { type Capacity, type FileIo, nodeFileIo, type OpenFile } from '../../agent/file-io.ts'

/** What a faulty disk is asked to do; a path is enough to decide on. */
export interface DiskCall {
  readonly op: 'openRead' | 'openWrite' | 'write' | 'read' | 'sync' | 'rename' | 'remove' | 'replaceFile' | 'syncFolder'
  readonly path: string
  /** Of a write. */
  readonly bytes?: number
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected by the test`), { code })
}

/** The real disk, but every call is shown to `fault` first, which may throw; `full` limits what it says is free. */
export class FaultyFileIo implements FileIo {
  /** Gives an error code where the call is to fail; `torn` lets half of a write happen first. */
  fault: (call: DiskCall) => string | { code: string; torn: true } | undefined = () => undefined
  free: number | undefined
  readonly calls: DiskCall[] = []

  async #check(call: DiskCall): Promise<boolean> {
    this.calls.push(call)
    const fault = this.fault(call)
    if (fault === undefined) return false
    if (typeof fault === 'object') return true
    throw systemError(fault)
  }

  async openRead(path: string): Promise<OpenFile> {
    await this.#check({ op: 'openRead', path })
    return this.#wrap(path, await nodeFileIo.openRead(path))
  }

  async openWrite(path: string, fresh?: boolean): Promise<OpenFile> {
    await this.#check({ op: 'openWrite', path })
    return this.#wrap(path, await nodeFileIo.openWrite(path, fresh))
  }

  #wrap(path: string, file: OpenFile): OpenFile {
    return {
      write: async (bytes, position) => {
        if (await this.#check({ op: 'write', path, bytes: bytes.length })) {
          await file.write(bytes.subarray(0, bytes.length / 2), position)
          throw systemError('EIO')
        }
        await file.write(bytes, position)
      },
      read: async (into, position) => {
        await this.#check({ op: 'read', path })
        return file.read(into, position)
      },
      sync: async () => {
        await this.#check({ op: 'sync', path })
        await file.sync()
      },
      size: () => file.size(),
      truncate: (bytes) => file.truncate(bytes),
      close: () => file.close(),
    }
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#check({ op: 'replaceFile', path, bytes: bytes.length })
    await nodeFileIo.replaceFile(path, bytes)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#check({ op: 'rename', path: to })
    await nodeFileIo.rename(from, to)
  }

  async remove(path: string): Promise<boolean> {
    await this.#check({ op: 'remove', path })
    return nodeFileIo.remove(path)
  }

  async syncFolder(path: string): Promise<void> {
    await this.#check({ op: 'syncFolder', path })
    await nodeFileIo.syncFolder(path)
  }

  async capacity(path: string): Promise<Capacity> {
    const capacity = await nodeFileIo.capacity(path)
    return this.free === undefined ? capacity : { ...capacity, freeBytes: this.free }
  }

  readFile = nodeFileIo.readFile
  makeFolder = nodeFileIo.makeFolder
  list = nodeFileIo.list
  sizeOf = nodeFileIo.sizeOf
  lock = nodeFileIo.lock
}
