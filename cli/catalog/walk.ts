import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { visibleLine } from '../output/escape.ts'

/** A file of a tree. */
export interface TreeFile {
  /** Relative to the root, with `/`, as a catalog names it. */
  readonly path: string
  /** Where its bytes are; for a symbolic link, what it leads to. */
  readonly absolute: string
}

export interface Tree {
  /** Sorted by path, bytewise. */
  readonly files: readonly TreeFile[]
  /** One sentence per entry that was left out. */
  readonly skipped: readonly string[]
}

/** Catalog paths are at most this long; longer ones cannot be opened on most systems anyway. */
const MAX_PATH_BYTES = 4096

/**
 * Lists the files below a folder. A symbolic link to a file inside the tree counts as a file. Left out, and said so: links
 * that lead outside, nowhere or to a folder; what is neither file nor folder; names that are not UTF-8 or have control
 * characters. `exclude` holds absolute paths to pass over in silence. Throws when a folder cannot be read.
 */
export async function walkTree(root: string, exclude: ReadonlySet<string> = new Set()): Promise<Tree> {
  const top = await realpath(root)
  const files: TreeFile[] = []
  const skipped: string[] = []
  const folders: { readonly absolute: string; readonly path: string }[] = [{ absolute: top, path: '' }]
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    for (const entry of await readdir(folder.absolute, { withFileTypes: true, encoding: 'buffer' })) {
      const name = utf8(entry.name)
      const prefix = folder.path === '' ? '' : `${folder.path}/`
      const shown = visibleLine(`${prefix}${entry.name.toString('utf8')}`)
      if (name === undefined) {
        skipped.push(`${shown}: its name is not UTF-8`)
        continue
      }
      const path = prefix + name
      const absolute = join(folder.absolute, name)
      if (exclude.has(absolute)) continue
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      if (/[\u0000-\u001f\u007f]/.test(name)) skipped.push(`${shown}: its name has control characters`)
      else if (Buffer.byteLength(path) > MAX_PATH_BYTES)
        skipped.push(`${shown}: its path is longer than ${MAX_PATH_BYTES} bytes`)
      else if (entry.isDirectory()) folders.push({ absolute, path })
      else if (entry.isFile()) files.push({ path, absolute })
      else if (entry.isSymbolicLink()) {
        const target = await followLink(absolute, top)
        if (typeof target === 'string') skipped.push(`${shown}: ${target}`)
        else if (!exclude.has(target.absolute)) files.push({ path, absolute: target.absolute })
      } else skipped.push(`${shown}: it is a ${special(entry)}`)
    }
  }
  return { files: sortBytewise(files), skipped: skipped.sort() }
}

/** Where a link leads, or why it is left out. */
async function followLink(absolute: string, top: string): Promise<{ absolute: string } | string> {
  try {
    const target = await realpath(absolute)
    if (target !== top && !target.startsWith(top === sep ? sep : top + sep)) return 'the link leads out of the folder'
    const info = await stat(target)
    if (info.isDirectory()) return 'it is a link to a folder'
    return info.isFile() ? { absolute: target } : 'it is a link to something that is not a file'
  } catch {
    return 'the link leads nowhere'
  }
}

function utf8(name: Buffer): string | undefined {
  const text = name.toString('utf8')
  return Buffer.from(text, 'utf8').equals(name) ? text : undefined
}

function special(entry: Dirent<Buffer>): string {
  if (entry.isFIFO()) return 'pipe'
  if (entry.isSocket()) return 'socket'
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : 'special file'
}

/** By the bytes of the path in UTF-8, which is not the order of JavaScript's UTF-16 strings beyond U+FFFF. */
function sortBytewise(files: TreeFile[]): TreeFile[] {
  const beyond = files.some(({ path }) => /[\ud800-\udfff]/.test(path))
  if (!beyond) return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  const keyed = files.map((file) => ({ file, key: Buffer.from(file.path) }))
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ file }) => file)
}
