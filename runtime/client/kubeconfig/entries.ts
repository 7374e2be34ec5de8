import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'

export type Fields = Readonly<Record<string, unknown>>

/** A cluster, user or context of a kubeconfig. */
export interface Entry {
  readonly name: string
  readonly fields: Fields
  /** Where it was read; relative paths in it start there. */
  readonly dir: string
}

/** What the files say together. */
export interface Entries {
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
  readonly contexts: ReadonlyMap<string, Entry>
  readonly currentContext: string
  /** The files that were read, for messages. */
  readonly origin: string
}

export type ParseYaml = (text: string) => unknown

interface Sources {
  /** One file, which must exist. */
  readonly path?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home?: string | undefined
  readonly parseYaml?: ParseYaml | undefined
}

/** The files that are looked at: the one that was named, else those of `$KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigPaths({ path, env, home = homedir() }: Omit<Sources, 'parseYaml'>): string[] {
  if (path !== undefined) return [path]
  return env.KUBECONFIG
    ? env.KUBECONFIG.split(delimiter).filter((each) => each !== '')
    : [join(home, '.kube', 'config')]
}

/**
 * Reads and merges: the first file that has an entry of a name, or a current context, wins. Files that do not exist are passed over, unless one
 * was named. Throws an Error that names the file at fault.
 */
export async function readEntries(sources: Sources): Promise<Entries> {
  const { path, parseYaml } = sources
  const paths = kubeconfigPaths(sources).filter((each) => path !== undefined || existsSync(each))
  const merged = {
    clusters: new Map<string, Entry>(),
    users: new Map<string, Entry>(),
    contexts: new Map<string, Entry>(),
    currentContext: '',
  }
  for (const each of paths) {
    const file = await readYaml(each, parseYaml ?? (await import('yaml')).parse)
    take(each, file, 'clusters', 'cluster', merged.clusters)
    take(each, file, 'users', 'user', merged.users)
    take(each, file, 'contexts', 'context', merged.contexts)
    merged.currentContext ||= text(file, 'current-context') ?? ''
  }
  return { ...merged, origin: paths.join(delimiter) }
}

async function readYaml(path: string, parse: ParseYaml): Promise<Fields> {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${path}: ${(error as Error).message}`)
  }
  let value: unknown
  try {
    value = await parse(content)
  } catch (error) {
    throw new Error(`kubeconfig ${path}: ${(error as Error).message}`)
  }
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`kubeconfig ${path} is not a mapping`)
  return value as Fields
}

function take(path: string, file: Fields, list: string, key: string, into: Map<string, Entry>): void {
  const own = new Set<string>()
  for (const item of Array.isArray(file[list]) ? (file[list] as readonly Fields[]) : []) {
    const name = text(item ?? {}, 'name')
    if (name === undefined) continue
    if (own.has(name)) throw new Error(`kubeconfig ${path}: duplicate name "${name}" in ${list}`)
    own.add(name)
    if (!into.has(name)) into.set(name, { name, fields: (item[key] ?? {}) as Fields, dir: dirname(resolve(path)) })
  }
}

/** A field that says something. */
export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `<name>-data` (base64) or the file `<name>`; data wins, as in kubectl. Throws an Error that names the entry and the file. */
export function pem({ name: entry, fields, dir }: Entry, name: string): string | undefined {
  const data = text(fields, `${name}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = text(fields, name)
  if (file === undefined) return undefined
  const path = pathIn(dir, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`"${entry}": cannot read ${name} ${path}: ${(error as Error).message}`)
  }
}

export function pathIn(dir: string, path: string): string {
  return isAbsolute(path) ? path : join(dir, path)
}
