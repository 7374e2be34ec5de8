import { type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { printJson } from '../output/json.ts'
import { printYaml } from '../output/yaml.ts'
import { programVersion } from '../version-number.ts'

export interface VersionFlags extends ConnectionFlags {
  readonly client?: boolean
  readonly output?: string
}

/** `weir version`: of this program, and of the server. */
export async function runVersion(io: Io, words: readonly string[], flags: VersionFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  if (flags.output !== undefined && !['json', 'yaml'].includes(flags.output))
    throw usageError("--output must be 'yaml' or 'json'")
  const client = {
    gitVersion: `v${programVersion()}`,
    nodeVersion: process.version,
    platform: `${process.platform}/${process.arch}`,
  }
  let server: { gitVersion?: string } | undefined
  let failure: unknown
  if (!flags.client) {
    try {
      const connection = await connect(io, flags)
      server = (await connection.client
        .raw('/version', { signal: io.interrupted })
        .finally(() => connection.client.close())) as { gitVersion?: string }
    } catch (error) {
      failure = requestFailure(error)
    }
  }
  const versions = { clientVersion: client, ...(server ? { serverVersion: server } : {}) }
  if (flags.output === 'json') await io.out(`${printJson(versions)}\n`)
  else if (flags.output === 'yaml') await io.out(printYaml(versions))
  else await io.out(`Client Version: ${client.gitVersion}\n${server ? `Server Version: ${server.gitVersion}\n` : ''}`)
  if (failure) throw failure
  return ExitCode.ok
}
