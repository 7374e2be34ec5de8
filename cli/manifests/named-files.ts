import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { FileArguments } from './files.ts'

/** What `fileFlags` gives a verb. */
export interface FileFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly kustomize?: string
}

/** Whether manifests were named at all. */
export function namesFiles({ filename, kustomize }: FileFlags): boolean {
  return (filename?.length ?? 0) > 0 || kustomize !== undefined
}

/** The files that `-f` and `-k` name, and bare words too, so that `-f sites/*.yaml` means all that the shell made of it. Throws a usage error. */
export function fileArguments(io: Io, words: readonly string[], flags: FileFlags): FileArguments {
  const { filename = [], recursive = false, kustomize } = flags
  if (filename.length > 0 && kustomize !== undefined) throw usageError('only one of -f or -k can be specified')
  if (kustomize !== undefined && words.length > 0)
    throw usageError(`unexpected argument ${words[0]}: -k takes one folder`)
  if (kustomize !== undefined && recursive) throw usageError('the -k flag cannot be used with -R')
  if (!namesFiles(flags) && words.length === 0) throw usageError('must specify one of -f and -k')
  return {
    files: [...filename, ...words],
    recursive,
    ...(kustomize === undefined ? {} : { kustomize }),
    cwd: io.cwd,
    stdin: io.stdin,
    env: io.env,
    signal: io.interrupted,
  }
}
