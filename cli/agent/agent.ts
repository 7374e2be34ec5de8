import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { startAgent } from '../../agent/main.ts'
import { createLog } from '../../runtime/log.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { programVersion } from '../version-number.ts'

export interface AgentFlags {
  readonly gateway?: string
  readonly ca?: string
  readonly appliance?: string
  readonly tokenFile?: string
  readonly root?: string
  readonly listen: string
  readonly advertise?: string
  readonly storageBytes?: string
}

/** `weir agent`: runs until interrupted, or until the `weir up` that started it is gone. */
export async function runAgent(io: Io, words: readonly string[], flags: AgentFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const gatewayUrl = required(flags.gateway, '--gateway')
  const [namespace = '', name = '', ...more] = required(flags.appliance, '--appliance').split('/')
  if (namespace === '' || name === '' || more.length > 0) throw usageError('--appliance must be NAMESPACE/NAME')
  if (!URL.canParse(gatewayUrl)) throw usageError(`--gateway ${gatewayUrl} is not a URL`)
  const token = readText(required(flags.tokenFile, '--token-file'), '--token-file').trim()
  const log = createLog({ program: 'agent' })
  const agent = await startAgent({
    gatewayUrl,
    appliance: { namespace, name },
    token,
    root: required(flags.root, '--root'),
    listen: listenAddress(flags.listen),
    version: programVersion(),
    log,
    ...(flags.ca === undefined ? {} : { ca: readText(flags.ca, '--ca') }),
    ...(flags.advertise === undefined ? {} : { advertiseUrl: flags.advertise }),
    ...(flags.storageBytes === undefined ? {} : { capacityBytes: Number(flags.storageBytes) }),
  }).catch((error: Error) => {
    throw new CliError(ExitCode.usage, error.message, { cause: error })
  })
  log.info({ url: agent.url, appliance: `${namespace}/${name}` }, 'the agent serves')
  await ending(io)
  await agent.close()
  return ExitCode.ok
}

function required(value: string | undefined, flag: string): string {
  if (value === undefined || value === '') throw usageError(`${flag} is missing`)
  return value
}

function readText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`cannot read ${flag} ${path}: ${(error as Error).message}`)
  }
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(text)
  const host = match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? ''
  const port = Number(match?.[2])
  if (!match || port > 65_535 || (host !== 'localhost' && isIP(host) === 0))
    throw usageError(`--listen must be HOST:PORT with an IP address, not "${text}"`)
  return { host, port }
}

/** Resolves when interrupted, or when the process that started this one over an IPC channel has gone. */
function ending(io: Io): Promise<void> {
  return new Promise((resolve) => {
    if (io.interrupted.aborted) resolve()
    io.interrupted.addEventListener('abort', () => resolve(), { once: true })
    // One that went while this one was still starting has fired its event already.
    if (process.send && !process.connected) resolve()
    else if (process.channel) process.once('disconnect', resolve)
  })
}
