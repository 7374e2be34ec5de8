import { join } from 'node:path'
import type { ContentAssignment, ContentEntry } from '../../crds/types.gen.ts'
import type { FileIo } from '../file-io.ts'

/** What an agent remembers of what it was told, so that a reboot without the gateway changes nothing. */
export interface Desired {
  /** Uid of the Assignment, where the gateway tells it: a namesake made later counts its generations anew. */
  readonly uid?: string
  readonly content: ContentAssignment
}

/** Entries of earlier Assignments that clients may still be on their way to. */
export interface Retiring {
  readonly entries: readonly ContentEntry[]
}

/** Keeps `state/desired.json` and `state/retiring.json`. */
export class DesiredState {
  readonly #io: FileIo
  readonly #folder: string
  /** What was last written, by file: a disk is not worn by writing the same again. */
  readonly #written = new Map<string, string>()

  constructor(io: FileIo, folder: string) {
    this.#io = io
    this.#folder = folder
  }

  /** Undefined when nothing was saved, or nothing that can be read. */
  async load(): Promise<{ desired: Desired | undefined; retiring: Retiring }> {
    const desired = (await this.#read('desired.json')) as Desired | undefined
    const retiring = (await this.#read('retiring.json')) as Retiring | undefined
    return {
      desired: Array.isArray(desired?.content?.entries) ? desired : undefined,
      retiring: Array.isArray(retiring?.entries) ? (retiring as Retiring) : { entries: [] },
    }
  }

  async saveDesired(desired: Desired): Promise<void> {
    await this.#write('desired.json', desired)
  }

  async saveRetiring(retiring: Retiring): Promise<void> {
    await this.#write('retiring.json', retiring)
  }

  async #read(name: string): Promise<unknown> {
    const bytes = await this.#io.readFile(join(this.#folder, name))
    if (!bytes) return undefined
    try {
      return JSON.parse(new TextDecoder().decode(bytes))
    } catch {
      return undefined
    }
  }

  async #write(name: string, value: unknown): Promise<void> {
    const json = `${JSON.stringify(value)}\n`
    if (this.#written.get(name) === json) return
    this.#written.delete(name)
    await this.#io.replaceFile(join(this.#folder, name), new TextEncoder().encode(json))
    this.#written.set(name, json)
  }
}
