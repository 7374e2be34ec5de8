import { glob, open, readdir, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Readable } from 'node:stream'
import { usageError } from '../exit.ts'
import { decodeText, MAX_FILE_BYTES, tooLarge } from './decode-text.ts'
import type { Problem } from './problem.ts'
import type { SourceText } from './source-text.ts'

/** What `-f` and `-R` said. */
export interface FileArguments {
  /** Files, directories, globs, or `-` for stdin; commas separate several. */
  readonly files: readonly string[]
  readonly recursive: boolean
  readonly cwd: string
  readonly stdin: Readable
}

const EXTENSIONS = /\.(ya?ml|json)$/

/** Reads every file that `-f` names, each once, in order. What cannot be read as text is a problem. */
export async function readManifestFiles(args: FileArguments): Promise<{ sources: SourceText[]; problems: Problem[] }> {
  const sources: SourceText[] = []
  const problems: Problem[] = []
  for (const name of await namedFiles(args)) {
    const read = name === '-' ? await readStdin(args.stdin) : await readFile(name, inside(args.cwd, name))
    if ('text' in read) sources.push(read)
    else problems.push(read)
  }
  return { sources, problems }
}

const inside = (cwd: string, name: string) => (isAbsolute(name) ? name : join(cwd, name))

/** Expands directories and globs. Throws a usage error for what does not exist. */
async function namedFiles({ files, recursive, cwd }: FileArguments): Promise<string[]> {
  const names = new Set<string>()
  for (const argument of files.flatMap((file) => file.split(',')).filter((file) => file !== '')) {
    if (argument === '-') names.add('-')
    else for (const name of await expand(argument, cwd, recursive)) names.add(name)
  }
  return [...names]
}

async function expand(argument: string, cwd: string, recursive: boolean): Promise<string[]> {
  const info = await stat(inside(cwd, argument)).catch((error: NodeJS.ErrnoException) => error)
  if (!(info instanceof Error)) return info.isDirectory() ? directory(argument, cwd, recursive) : [argument]
  if (info.code !== 'ENOENT') throw usageError(`cannot read ${argument}: ${info.message}`)
  if (!/[*?[{]/.test(argument)) throw usageError(`the path "${argument}" does not exist`)
  const matches: string[] = []
  for await (const match of glob(argument, { cwd })) matches.push(match)
  if (matches.length === 0) throw usageError(`the pattern "${argument}" matches no file`)
  const found: string[] = []
  for (const match of matches.sort()) found.push(...(await expand(match, cwd, recursive)))
  return found
}

/** The manifest files of a directory by name; of its subdirectories too when recursive. */
async function directory(name: string, cwd: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(inside(cwd, name), { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(name, entry.name)
    if (entry.isDirectory()) {
      if (recursive) found.push(...(await directory(path, cwd, true)))
    } else if (EXTENSIONS.test(entry.name)) found.push(path)
  }
  return found
}

async function readFile(name: string, path: string): Promise<SourceText | Problem> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > MAX_FILE_BYTES) return tooLarge(name, size)
    // A pipe or a device has no size: read at most what is allowed, and one byte more to know.
    return decodeText(name, await readAll(file.createReadStream({ autoClose: false })))
  } catch (error) {
    return { code: 'unreadable', file: name, message: `cannot be read: ${(error as Error).message}` }
  }
}

async function readStdin(stdin: Readable): Promise<SourceText | Problem> {
  return decodeText('<stdin>', await readAll(stdin))
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size > MAX_FILE_BYTES) break
  }
  return Buffer.concat(chunks)
}
