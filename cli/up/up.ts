import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { createLog, type Log } from '../../runtime/log.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { bytesText } from '../output/quantity.ts'
import { packageFolder } from '../package-folder.ts'
import { type ControlPlane, isTaken, type Port, startControlPlane } from './control-plane.ts'
import { LocalAgents } from './local-agents.ts'
import { type Origin, startOrigin } from './origin.ts'

export interface UpFlags {
  readonly dir: string
  readonly appliances?: string
  readonly origin?: string
  readonly originPort?: string
  readonly port?: string
  readonly gatewayPort?: string
  readonly steeringPort?: string
  readonly quickstart?: boolean
  readonly verbose?: boolean
}

/** The appliances of examples/quickstart/. */
const QUICKSTART_APPLIANCES = 6
const DEFAULT_PORTS = { api: 6443, gateway: 6444, origin: 8480, steering: 8490 }

/** `weir up`: a whole control plane on this machine, and local appliances; until interrupted. */
export async function runUp(io: Io, words: readonly string[], flags: UpFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const dir = resolve(io.cwd, flags.dir)
  const parts: { close(): Promise<void> }[] = []
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const { log, ...logFile } = openLog(dir, flags.verbose ?? false)
    parts.push(logFile)
    const plane = await control(io, dir, flags, log)
    parts.push(plane)
    say(io, `Control plane: ${plane.apiUrl} (kubeconfig ${relative(io.cwd, plane.kubeconfigPath)})`)
    say(io, `Steering: ${plane.steeringUrl}`)
    const origin = await openOrigin(io, dir, flags, log)
    if (origin) parts.push(origin)
    const count = Number(flags.appliances ?? (flags.quickstart ? QUICKSTART_APPLIANCES : 0))
    if (count > 0) {
      const agents = new LocalAgents({
        client: plane.client,
        dir,
        count,
        gatewayUrl: plane.gatewayUrl,
        caPath: plane.caPath,
        log,
      })
      agents.start()
      parts.push(agents)
    }
    if (flags.quickstart && origin) {
      const { runQuickstart } = await import('./quickstart.ts')
      await runQuickstart({
        ...{ io, client: plane.client, origin },
        kubeconfigPath: plane.kubeconfigPath,
        steeringUrl: plane.steeringUrl,
      })
    } else say(io, 'Ctrl-C stops everything; starting again goes on from here.')
    await interruption(io)
    return ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) return ExitCode.ok
    throw error
  } finally {
    if (io.interrupted.aborted) say(io, 'Stopping…')
    for (const part of parts.reverse()) await part.close()
    if (io.interrupted.aborted) say(io, 'Stopped.')
  }
}

const say = (io: Io, line: string) => io.err(`${line}\n`)

/** A log that has grown to this is put aside (one is kept) at the start. */
const MAX_LOG_BYTES = 64 * 1024 * 1024

/** Programs' logs go to a file, so that the screen stays for people. */
function openLog(dir: string, verbose: boolean): { readonly log: Log; close(): Promise<void> } {
  if (verbose) return { log: createLog(), close: async () => {} }
  const path = join(dir, 'weir.log')
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.old`)
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 })
  return {
    log: createLog({ destination: file }),
    close: () => new Promise((resolve) => file.end(() => resolve())),
  }
}

function control(io: Io, dir: string, flags: UpFlags, log: Log): Promise<ControlPlane> {
  return startControlPlane({
    dir,
    port: portOf(flags.port, DEFAULT_PORTS.api),
    gatewayPort: portOf(flags.gatewayPort, DEFAULT_PORTS.gateway),
    steeringPort: portOf(flags.steeringPort, DEFAULT_PORTS.steering),
    fileRoots: [io.cwd, ...(flags.origin === undefined ? [] : [resolve(io.cwd, flags.origin)])],
    log,
    signal: io.interrupted,
    onOtherPort: (what, port) => say(io, `The usual port for the ${what} is taken; it listens on ${port}.`),
  })
}

const portOf = (given: string | undefined, usual: number): Port => ({
  number: Number(given ?? usual),
  mayMove: given === undefined,
})

async function openOrigin(io: Io, dir: string, flags: UpFlags, log: Log): Promise<Origin | undefined> {
  if (flags.origin === undefined && !flags.quickstart) return undefined
  const folder = flags.origin === undefined ? packageFolder('examples/origin') : resolve(io.cwd, flags.origin)
  const port = portOf(flags.originPort, DEFAULT_PORTS.origin)
  const onProgress = (done: number, total: number) => {
    if (io.errIsTerminal) io.err(`\r\u001b[KReading ${folder}: ${done} of ${total} files`)
  }
  const options = {
    folder,
    exclude: [dir],
    indexFile: join(dir, 'origin', 'index.json'),
    log: log.child({ program: 'origin' }),
    onProgress,
  }
  const origin = await startOrigin({ ...options, port: port.number }).catch((error: unknown) => {
    if (!isTaken(error)) throw error
    if (!port.mayMove)
      throw new CliError(ExitCode.usage, `port ${port.number} for the origin is taken by another program`, {
        cause: error,
      })
    return startOrigin({ ...options, port: 0 })
  })
  try {
    const { files, bytes, skipped } = await origin.ready
    if (io.errIsTerminal) io.err('\r\u001b[K')
    for (const reason of skipped) say(io, `Warning: the origin leaves out ${reason}`)
    say(
      io,
      `Origin: ${origin.url} serves ${relative(io.cwd, folder) || '.'} (${files} files, ${bytesText(bytes)}), listed in ${origin.url}/catalog.ndjson`,
    )
    return origin
  } catch (error) {
    await origin.close()
    throw new CliError(ExitCode.usage, `cannot serve ${folder}: ${(error as Error).message}`, { cause: error })
  }
}

function interruption(io: Io): Promise<void> {
  return new Promise((resolve) => {
    if (io.interrupted.aborted) resolve()
    io.interrupted.addEventListener('abort', () => resolve(), { once: true })
  })
}
