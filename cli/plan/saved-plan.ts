import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { discovered } from '../api/discovery-cache.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { concurrently } from '../concurrently.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import { type Manifest, parseManifests } from '../manifests/manifest.ts'
import { SourceText } from '../manifests/source-text.ts'
import { visibleLine } from '../output/escape.ts'
import type { PlanDocument } from './document.ts'
import { FleetModel } from './fleet-model.ts'
import { type Read, readKey, readOf } from './reads.ts'

/** A plan as `weir plan --out` keeps it, for `weir apply --plan`. Holds no secret. */
export interface SavedPlan {
  readonly apiVersion: 'cli.weir.dev/v1alpha1'
  readonly kind: 'SavedPlan'
  readonly plan: PlanDocument
  /** How it was asked for; applying it asks the same. */
  readonly asked: Asked
  /** What is to be applied, in order. */
  readonly objects: readonly JsonObject[]
  /** Secrets that are to be applied: their values are not kept, and must be given again with -f. */
  readonly withheld: readonly Named[]
  /** What is to be deleted, in order. */
  readonly deletions: readonly Read[]
  /** Everything that the plan was made on. */
  readonly reads: readonly Read[]
}

export interface Asked {
  readonly namespace: string
  readonly fieldManager: string
  readonly forceConflicts: readonly string[]
  readonly applySet?: string
  readonly prune: boolean
  /** Whether the objects of the manifests are deleted instead of applied. */
  readonly delete: boolean
}

export type Named = Pick<Read, 'apiVersion' | 'kind' | 'namespace' | 'name'>

/** Writes a plan to a file that only its owner may read, whole or not at all. */
export async function writeSavedPlan(path: string, saved: SavedPlan): Promise<void> {
  const incoming = `${path}.${randomUUID()}.part`
  try {
    await writeFile(incoming, `${JSON.stringify(saved)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(incoming, path)
  } catch (error) {
    throw usageError(`cannot write --out ${path}: ${(error as Error).message}`)
  } finally {
    await rm(incoming, { force: true })
  }
}

/** Reads what `writeSavedPlan` wrote. Throws a usage error for a file that is not there or is something else. */
export async function readSavedPlan(path: string): Promise<SavedPlan> {
  let saved: Partial<SavedPlan> | null
  try {
    saved = JSON.parse(await readFile(path, 'utf8')) as Partial<SavedPlan> | null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = error instanceof SyntaxError ? 'it is not JSON' : code === 'ENOENT' ? 'it does not exist' : message
    throw usageError(`cannot read the plan ${path}: ${why}`)
  }
  const { apiVersion, kind, objects, deletions, reads, withheld, asked } = saved ?? {}
  if (kind !== 'SavedPlan') throw usageError(`${path} is not a plan that \`weir plan --out\` saved`)
  if (apiVersion !== 'cli.weir.dev/v1alpha1')
    throw usageError(`${path} was saved by another version of weir (${apiVersion}); plan again`)
  const lists = [objects, deletions, reads, withheld]
  if (!lists.every(Array.isArray) || typeof asked?.fieldManager !== 'string')
    throw usageError(`the plan ${path} is damaged; plan again`)
  return saved as SavedPlan
}

/**
 * What a saved plan applies, as manifests; of Secrets the values come from `given`, the manifests of -f. Throws a usage error where one is
 * missing there.
 */
export function savedManifests(path: string, saved: SavedPlan, given: readonly Manifest[] = []): Manifest[] {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: saved.objects }, undefined, 2)
  const { manifests } = parseManifests(new SourceText(path, text))
  const secrets = saved.withheld.map((named) => {
    const found = given.find(({ object }) => {
      const { apiVersion, kind, metadata } = object
      const namespace = metadata.namespace ?? saved.asked.namespace
      return (
        apiVersion === named.apiVersion &&
        kind === named.kind &&
        metadata.name === named.name &&
        (named.namespace === undefined || namespace === named.namespace)
      )
    })
    if (!found)
      throw usageError(
        `the plan ${path} keeps no secrets: give the manifest of ${named.kind} ${named.name} again with -f`,
      )
    return found
  })
  return [...manifests, ...secrets]
}

/** One object that is not as the plan found it. */
export interface Moved {
  readonly read: Named
  readonly what: 'added' | 'deleted' | 'made again' | 'changed'
}

/** What is not any more as a saved plan found it; empty while the plan is fresh. Reads only. */
export async function movedSince(connection: Connection, saved: SavedPlan, signal: AbortSignal): Promise<Moved[]> {
  const { client } = connection
  const discovery = await discovered(connection, signal, () => true)
  const places = Map.groupBy(saved.reads, placeOf)
  const moved = await concurrently([...places.values()], 8, async (reads) => {
    const { apiVersion, kind, namespace } = reads[0]!
    const resource = resourceOfKind(discovery, apiVersion, kind)
    const live = resource ? await listLive(client, resource, isFleet(reads[0]!) ? undefined : namespace, signal) : []
    return movedIn(
      reads,
      live.map((object) => readOf({ ...object, apiVersion, kind } as KubeObject)),
    )
  })
  return moved.flat()
}

/** Throws exit code 6, naming what moved, where a saved plan is stale. Nothing is written. */
export async function checkFresh(
  connection: Connection,
  path: string,
  saved: SavedPlan,
  signal: AbortSignal,
): Promise<void> {
  const moved = await movedSince(connection, saved, signal)
  if (moved.length === 0) return
  const lines = moved.slice(0, 50).map(({ read, what }) => visibleLine(`  ${sayName(read)} was ${what}`))
  const more = moved.length > 50 ? [`  … and ${moved.length - 50} more`] : []
  throw new CliError(
    ExitCode.stalePlan,
    `error: the plan ${path} is stale; nothing was applied. Since it was made:\n${[...lines, ...more].join('\n')}\n`,
    { raw: true },
  )
}

const isFleet = ({ apiVersion, kind }: Read) => FleetModel.holds({ apiVersion, kind })

/** Of fleet kinds every object counts, wherever it is. */
function placeOf(read: Read): string {
  const { apiVersion, kind, namespace } = read
  return isFleet(read) ? `${apiVersion} ${kind}` : `${apiVersion} ${kind} ${namespace ?? ''}`
}

async function listLive(
  client: Client,
  resource: Resource,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    const where = resource.namespaced && namespace !== undefined ? { namespace } : {}
    return (await client.list(resource, { ...where, signal })).items
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

function movedIn(reads: readonly Read[], live: readonly Read[]): Moved[] {
  const now = new Map(live.map((read) => [readKey(read), read]))
  const moved = reads.flatMap((read): Moved[] => {
    const found = now.get(readKey(read))
    now.delete(readKey(read))
    if (!found) return read.uid === null ? [] : [{ read, what: 'deleted' }]
    if (read.uid === null) return [{ read, what: 'added' }]
    if (read.uid !== found.uid) return [{ read, what: 'made again' }]
    if (read.resourceVersion === found.resourceVersion) return []
    return read.decisive !== null && read.decisive === found.decisive ? [] : [{ read, what: 'changed' }]
  })
  const others = reads.some(isFleet) ? [...now.values()] : []
  return [...moved, ...others.map((read): Moved => ({ read, what: 'added' }))]
}

const sayName = ({ kind, namespace, name }: Named) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
