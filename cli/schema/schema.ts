import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { requiredOwnKind } from '../own-kinds.ts'
import { COMBINED, schemaFiles, schemaPath } from './files.ts'

interface SchemaFlags {
  readonly out?: string
}

/** `weir schema`: the JSON Schema of a kind, or of all. */
export async function runSchema(io: Io, words: readonly string[], flags: SchemaFlags): Promise<ExitCode> {
  const [word, ...more] = words
  if (more.length > 0) throw usageError(`one kind at a time; do not know what to do with "${more.join(' ')}"`)
  const wanted = word === undefined ? undefined : schemaPath(requiredOwnKind(word))
  const files = await schemaFiles()
  if (flags.out === undefined) {
    await io.out(files.get(wanted ?? COMBINED) ?? '')
    return ExitCode.ok
  }
  const written = [...files].filter(([file]) => wanted === undefined || file === wanted)
  for (const [file, text] of written) await write(join(resolve(io.cwd, flags.out), file), text)
  io.err(`wrote ${written.length === 1 ? '1 schema' : `${written.length} files`} to ${flags.out}\n`)
  return ExitCode.ok
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } catch (error) {
    throw new CliError(ExitCode.usage, `cannot write ${path}: ${(error as Error).message}`, { cause: error })
  }
}
