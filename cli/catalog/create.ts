import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { visibleLine } from '../output/escape.ts'
import { bytesText } from '../output/quantity.ts'
import { printYaml } from '../output/yaml.ts'
import { type HashedTree, hashTree } from './hash-tree.ts'
import { catalogNdjson } from './ndjson.ts'
import { walkTree } from './walk.ts'

interface CatalogCreateFlags {
  readonly fromDir?: string
  readonly out: string
  readonly name?: string
  readonly namespace?: string
  readonly url?: string
}

/** `weir catalog create`: writes the list of a folder's files, prints the Catalog that names it. */
export async function runCatalogCreate(io: Io, words: readonly string[], flags: CatalogCreateFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  if (flags.fromDir === undefined) throw usageError('--from-dir says which folder the files are in; it is missing')
  const base = flags.url === undefined ? undefined : baseUrl(flags.url)
  const folder = resolve(io.cwd, flags.fromDir)
  const out = resolve(io.cwd, flags.out)
  await requireFolder(folder, flags.fromDir)
  const name = flags.name ?? nameFrom(folder)
  const hashed = await hashFolder(io, folder, out)
  await writeList(out, hashed)
  const bytes = hashed.files.reduce((sum, { size }) => sum + size, 0)
  io.err(`${hashed.files.length} files, ${bytesText(bytes)}: ${out}\n`)
  if (base === undefined)
    io.err('Appliances fetch over HTTP: set spec.originUrl to where they find the folder, or give --url.\n')
  const spec =
    base === undefined
      ? { source: { url: pathToFileURL(out).href } }
      : { originUrl: base, source: { url: new URL(encodeURIComponent(basename(out)), base).href } }
  const metadata = { name, ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }) }
  await io.out(printYaml({ apiVersion: 'content.weir.dev/v1alpha1', kind: 'Catalog', metadata, spec }))
  return ExitCode.ok
}

function baseUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw usageError(`--url ${text} is not an http:// or https:// URL`)
  const url = new URL(text)
  if (url.search !== '' || url.hash !== '') throw usageError(`--url ${text} must have no query and no fragment`)
  return url.href.endsWith('/') ? url.href : `${url.href}/`
}

async function requireFolder(folder: string, said: string): Promise<void> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`--from-dir ${said}: ${error.code === 'ENOENT' ? 'it does not exist' : error.message}`)
  })
  if (!info.isDirectory()) throw usageError(`--from-dir ${said}: it is not a folder`)
}

/** A valid object name made from the folder's. */
function nameFrom(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  return name === '' ? 'catalog' : name
}

async function hashFolder(io: Io, folder: string, out: string): Promise<HashedTree> {
  const tree = await walkTree(folder, new Set([out])).catch((error: Error) => {
    throw new CliError(ExitCode.usage, `cannot read the folder: ${error.message}`, { cause: error })
  })
  for (const reason of tree.skipped) io.err(`Warning: left out ${reason}\n`)
  const onProgress = (files: number, bytes: number) => {
    if (io.errIsTerminal) io.err(`\r\u001b[K${files} of ${tree.files.length} files, ${bytesText(bytes)}`)
  }
  const hashed = await hashTree(tree.files, { onProgress, signal: io.interrupted })
  if (io.errIsTerminal) io.err('\r\u001b[K')
  if (hashed.failed.length > 0) {
    // A list without these files would have appliances evict them.
    const lines = hashed.failed.map(({ path, error }) => `error: ${visibleLine(path)}: ${error}\n`).join('')
    throw new CliError(
      ExitCode.usage,
      `${lines}error: ${hashed.failed.length} files could not be read; no list was written\n`,
      { raw: true },
    )
  }
  return hashed
}

/** Written beside its place and renamed, so that whoever reads the list sees the old one or the new one. */
async function writeList(out: string, { files }: HashedTree): Promise<void> {
  const partial = `${out}.${process.pid}.partial`
  try {
    await pipeline(Readable.from(catalogNdjson(files)), createWriteStream(partial))
    await rename(partial, out)
  } catch (error) {
    await rm(partial, { force: true })
    throw new CliError(ExitCode.usage, `cannot write ${out}: ${(error as Error).message}`, { cause: error })
  }
}
