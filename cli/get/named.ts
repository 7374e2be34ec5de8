import type { Connection } from '../api/connect.ts'
import { discovered } from '../api/discovery-cache.ts'
import { knowsTypes, parseTargets } from '../api/targets.ts'
import type { Io } from '../io.ts'
import { type FileFlags, namesFiles } from '../manifests/named-files.ts'
import type { PlacedTarget } from './read.ts'

interface NamingFlags extends FileFlags {
  readonly selector?: string
  readonly fieldSelector?: string
  readonly allNamespaces?: boolean
}

/** What a command line names: the objects of its manifests, or types and names. Throws usage errors, and exit code 2 for wrong manifests. */
export async function namedTargets(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: NamingFlags,
  allowCollections: boolean,
): Promise<readonly PlacedTarget[]> {
  if (namesFiles(flags)) {
    const { manifestsFrom, resolveManifests } = await import('../changes/resolve.ts')
    const set = await resolveManifests(await manifestsFrom(io, words, flags), connection, io.interrupted)
    return set.map(({ resource, object }) => ({
      type: 'object',
      resource,
      name: object.metadata.name!,
      ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    }))
  }
  const discovery = await discovered(connection, io.interrupted, (kept) => knowsTypes(kept, words))
  return parseTargets(discovery, words, {
    allNamespaces: flags.allNamespaces ?? false,
    selected: Boolean(flags.selector || flags.fieldSelector),
    allowCollections,
  }).targets
}
