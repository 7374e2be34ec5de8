import { createReadStream, type Dirent, readFileSync, statSync } from 'node:fs'
import { glob, readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { usageError } from '../exit.ts'
import { decodeText, tooLarge } from './decode-text.ts'
import { download } from './download.ts'
import { renderKustomization } from './kustomize.ts'
import type { Problem } from './problem.ts'
import { MAX_FILE_BYTES, readAll } from './read-all.ts'
import type { SourceText } from './source-text.ts'

/** What `-f`, `-R` and `-k` said, and where to look. */
export interface FileArguments {
  /** Files, directories, globs, http(s) URLs, or `-` for stdin; commas separate several. */
  readonly files: readonly string[]
  readonly recursive: boolean
  /** A folder with a kustomization, to be built. */
  readonly kustomize?: string
  readonly cwd: string
  readonly stdin: Readable
  /** Where kustomize is looked for; this process's environment if absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** Commas separate names, but not the alternatives of a glob. */
const OUTER_COMMA = /,(?![^{}]*\})/
const EXTENSIONS = /\.(ya?ml|json)$/

/** A file, by the name the user knows it by; or why it cannot be one. */
type Named = string | Problem

/** Reads every file that `-f` names, each once, in order, and what `-k` builds. What cannot be read as text is a problem. */
export async function readManifestFiles(args: FileArguments): Promise<(SourceText | Problem)[]> {
  const files: (SourceText | Problem)[] = []
  for (const name of await namedFiles(args)) files.push(typeof name === 'string' ? await readNamed(name, args) : name)
  if (args.kustomize !== undefined) {
    const { cwd, env = process.env, signal } = args
    const rendered = await renderKustomization(args.kustomize, cwd, env, signal)
    files.push(decodeText(`<kustomize ${args.kustomize}>`, rendered))
  }
  return files
}

const inside = (cwd: string, name: string) => (isAbsolute(name) ? name : join(cwd, name))
const isUrl = (name: string) => /^https?:\/\//.test(name)

function readNamed(name: string, { cwd, stdin, signal }: FileArguments): Promise<SourceText | Problem> {
  if (name === '-') return readStream('<stdin>', stdin)
  return isUrl(name) ? download(name, signal) : readFile(name, inside(cwd, name))
}

/** Expands directories and globs. Throws a usage error for what does not exist. */
async function namedFiles({ files, recursive, cwd }: FileArguments): Promise<Named[]> {
  const found: Named[] = []
  for (const argument of files.flatMap((file) => file.split(OUTER_COMMA)).filter((file) => file !== '')) {
    if (argument === '-' || isUrl(argument)) found.push(argument)
    else for (const name of await expand(argument, cwd, recursive)) found.push(name)
  }
  // A file that is named twice, in whatever way, is read once.
  const seen = new Set<string>()
  return found.filter((name) => {
    const key = typeof name !== 'string' || name === '-' || isUrl(name) ? '' : resolve(cwd, name)
    const id = typeof name === 'string' ? key || name : name.file
    return seen.size < seen.add(id).size
  })
}

async function expand(argument: string, cwd: string, recursive: boolean): Promise<Named[]> {
  const info = await stat(inside(cwd, argument)).catch((error: NodeJS.ErrnoException) => error)
  if ('isDirectory' in info) return info.isDirectory() ? wholeDirectory(argument, cwd, recursive) : [argument]
  if (info.code !== 'ENOENT') throw usageError(`cannot read ${argument}: ${info.message}`)
  if (!/[*?[{]/.test(argument)) throw usageError(`the path "${argument}" does not exist`)
  const matches: string[] = []
  for await (const match of glob(argument, { cwd })) matches.push(match)
  if (matches.length === 0) throw usageError(`the pattern "${argument}" matches no file`)
  const found: Named[] = []
  for (const match of matches.sort()) found.push(...(await expand(match, cwd, recursive)))
  return found
}

/** A directory that is named has manifests, or somebody is mistaken. */
async function wholeDirectory(name: string, cwd: string, recursive: boolean): Promise<Named[]> {
  const { found, folders } = await directory(name, cwd, recursive)
  if (found.length > 0) return found
  const hint = !recursive && folders > 0 ? '; -R looks into its subfolders too' : ''
  throw usageError(`there is no .yaml, .yml or .json file in ${name}${hint}`)
}

/** The manifest files of a directory by name; of its subdirectories too when recursive. Links to folders are not followed. */
async function directory(
  name: string,
  cwd: string,
  recursive: boolean,
): Promise<{ readonly found: Named[]; readonly folders: number }> {
  const found: Named[] = []
  let folders = 0
  let entries: Dirent[]
  try {
    entries = await readdir(inside(cwd, name), { withFileTypes: true })
  } catch (error) {
    return { found: [unreadable(name, (error as Error).message)], folders }
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(name, entry.name)
    if (entry.isDirectory()) {
      folders++
      if (recursive) found.push(...(await directory(path, cwd, true)).found)
    } else if (EXTENSIONS.test(entry.name)) found.push(await entryOf(path, cwd, entry))
  }
  return { found, folders }
}

/** Something in a directory that is called like a manifest. Nobody has asked for that one, so pipes and devices are not waited for. */
async function entryOf(path: string, cwd: string, entry: Dirent): Promise<Named> {
  if (entry.isFile()) return path
  const info = entry.isSymbolicLink() ? await stat(inside(cwd, path)).catch((error: Error) => error) : entry
  if (!('isDirectory' in info)) return unreadable(path, info.message)
  if (info.isDirectory()) return unreadable(path, 'it is a link to a folder')
  return info.isFile() ? path : unreadable(path, 'it is no regular file')
}

function unreadable(file: string, why: string): Problem {
  return { code: 'unreadable', file, message: `cannot be read: ${why}` }
}

async function readFile(name: string, path: string): Promise<SourceText | Problem> {
  try {
    const info = statSync(path)
    // Most are plain files, and there may be thousands: those are read at once.
    if (info.isFile())
      return info.size > MAX_FILE_BYTES ? tooLarge(name, info.size) : decodeText(name, readFileSync(path))
    return await readStream(name, createReadStream(path))
  } catch (error) {
    return unreadable(name, (error as Error).message)
  }
}

/** A pipe or a device has no size: at most what is allowed is read, and a little more to know. */
async function readStream(name: string, stream: Readable): Promise<SourceText | Problem> {
  return decodeText(name, await readAll(stream))
}
