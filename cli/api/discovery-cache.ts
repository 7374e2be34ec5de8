import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Client } from '../../runtime/client/client.ts'
import type { ClusterAccess } from '../../runtime/client/kubeconfig.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Io } from '../io.ts'
import { type Discovery, discover } from './discovery.ts'

/** What a server serves changes when definitions do: what is missing is asked for anew in any case, what has gone is found out. */
const KEPT_FOR_MS = 10 * 60_000
/** Changes with what is written. */
const FORMAT = 1

interface Kept {
  readonly format: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly discovery: Discovery
}

/**
 * What one server serves, kept beside kubectl's own cache (`$KUBECACHEDIR`, else `~/.kube/cache`). A server is told from others by its
 * address and its authority: one that was made anew at the same address is another. Where nothing can be kept it is not.
 */
export class DiscoveryCache {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Undefined where there is no home to keep it in. */
  static of(
    io: Pick<Io, 'env'>,
    { server, ca }: Pick<ClusterAccess, 'server' | 'ca'>,
    cacheDir?: string,
  ): DiscoveryCache | undefined {
    const { KUBECACHEDIR, HOME } = io.env
    // A home that does not exist is a sign that nothing should be written there.
    if (!cacheDir && !KUBECACHEDIR && !(HOME && existsSync(HOME))) return undefined
    const folder = cacheDir || KUBECACHEDIR || join(HOME!, '.kube', 'cache')
    const host = server.replace(/^https?:\/\//, '').replace(/[^\w.]/g, '_')
    // Loaded only now: whoever talks to a server needs it in any case, and others do not.
    const { createHash } = process.getBuiltinModule('node:crypto')
    const identity = createHash('sha256')
      .update(`${server}\n${ca === undefined ? '' : String(ca)}`)
      .digest('hex')
    return new DiscoveryCache(join(folder, 'weir', `${host.slice(0, 100)}-${identity.slice(0, 16)}.json`))
  }

  async read(): Promise<Discovery | undefined> {
    try {
      const { format, at, discovery } = JSON.parse(readFileSync(this.#path, 'utf8')) as Kept
      const age = systemClock.now().getTime() - at
      return format === FORMAT && age >= 0 && age < KEPT_FOR_MS ? discovery : undefined
    } catch {
      return undefined
    }
  }

  /** Whole or not at all, also when several commands write at once. */
  async write(discovery: Discovery): Promise<void> {
    const kept: Kept = { format: FORMAT, at: systemClock.now().getTime(), discovery }
    const temporary = `${this.#path}.${process.pid}`
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o750 })
      writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 })
      renameSync(temporary, this.#path)
    } catch {
      // A full or read-only disk: the next command asks the server again.
    }
  }

  async forget(): Promise<void> {
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // As good as gone: what it says is too old in a few minutes.
    }
  }
}

/** A server to ask, and where its answer is kept. */
interface Server {
  readonly client: Client
  readonly discoveryCache?: DiscoveryCache | undefined
}

const known = new WeakMap<Client, Discovery>()

/**
 * What the server serves: as kept on this machine where that is `enough` for the command, else asked for, and kept. Commands that find
 * something missing on the server say so to `forgetDiscovery`.
 */
export async function discovered(
  { client, discoveryCache }: Server,
  signal: AbortSignal,
  enough: (discovery: Discovery) => boolean = () => true,
): Promise<Discovery> {
  const kept = known.get(client) ?? (await discoveryCache?.read())
  if (kept && enough(kept)) {
    known.set(client, kept)
    return kept
  }
  const discovery = await discover(client, signal)
  known.set(client, discovery)
  await discoveryCache?.write(discovery)
  return discovery
}

/** The server turned out not to be as it was when it was last asked: the next `discovered` asks anew. */
export async function forgetDiscovery({ client, discoveryCache }: Server): Promise<void> {
  known.delete(client)
  await discoveryCache?.forget()
}
