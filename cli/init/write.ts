import { lstat, mkdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { ScaffoldFile } from './files.ts'

/**
 * Writes files into a folder, making it and its folders; gives those that were written. A file that is there is never written over: it is left as
 * it is with `keep`, and otherwise nothing is written at all. When something goes wrong on the way, what was written is taken away again.
 */
export async function writeAll(
  folder: string,
  files: ReadonlyMap<string, ScaffoldFile>,
  keep: boolean,
): Promise<readonly string[]> {
  const taken = await existing(folder, [...files.keys()])
  if (taken.length > 0 && !keep) {
    const list = taken.map((path) => `\n  ${path}`).join('')
    throw usageError(`these are there already, and are not written over; nothing was written:${list}`)
  }
  const undo: (() => Promise<unknown>)[] = []
  const written: string[] = []
  try {
    for (const [path, { text, executable }] of files) {
      if (taken.includes(path)) continue
      const file = join(folder, path)
      await makeFolder(dirname(file), undo)
      // `wx`: what somebody else has just put there is not written over either.
      await writeFile(file, text, { flag: 'wx', mode: executable ? 0o755 : 0o644 })
      undo.push(() => rm(file))
      written.push(path)
    }
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {})
    throw new CliError(ExitCode.usage, `${(error as Error).message}; nothing was written`, { cause: error })
  }
  return written
}

async function existing(folder: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      lstat(join(folder, path)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return paths.filter((_, index) => found[index])
}

async function makeFolder(folder: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder, above: string[] = []; ; made = dirname(made)) {
    above = [made, ...above]
    if (made !== first) continue
    for (const each of above) undo.push(() => rmdir(each))
    return
  }
}
