import { resolve } from 'node:path'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { type Scaffold, scaffold } from './files.ts'
import { writeAll } from './write.ts'

interface InitFlags {
  readonly namespace: string
  readonly environments?: readonly string[]
  readonly ci: Scaffold['ci']
  readonly keepExisting?: boolean
}

/** `weir init`: a repository to begin with. */
export async function runInit(io: Io, words: readonly string[], flags: InitFlags): Promise<ExitCode> {
  const [folder = '.', ...more] = words
  if (more.length > 0) throw usageError(`one folder at a time; do not know what to do with "${more.join(' ')}"`)
  const environments = flags.environments ?? ['staging', 'production']
  for (const name of environments) {
    if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name))
      throw usageError(`an environment's name is lower-case letters, digits and "-", not "${name}"`)
    const namespace = `${flags.namespace}-${name}`
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace) || namespace.length > 63)
      throw usageError(`"${namespace}" cannot be the name of a namespace`)
  }
  if (new Set(environments).size < environments.length) throw usageError('an environment is named twice')
  const files = await scaffold({ namespace: flags.namespace, environments, ci: flags.ci })
  const written = await writeAll(resolve(io.cwd, folder), files, flags.keepExisting ?? false)
  await io.out(written.map((path) => `${path}\n`).join(''))
  const there = folder === '.' ? '' : `cd ${folder} && `
  io.err(`wrote ${written.length} files, of which README.md says what they are for; next:\n  ${there}ci/validate.sh\n`)
  return ExitCode.ok
}
