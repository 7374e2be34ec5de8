import { appliances } from '../../controllers/resources.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import type { Connection } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { AS_JSON } from '../api/request.ts'
import { knowsTypes, parseTargets } from '../api/targets.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import { objectsOf, readTargets } from '../get/read.ts'
import type { Io } from '../io.ts'
import type { DrainFlags } from './flags.ts'

export interface Chosen {
  readonly resource: ServedResource
  /** Sorted by namespace and name; sites are taken apart into their appliances. */
  readonly chosen: readonly Appliance[]
  /** All appliances of the namespaces of those that were chosen. */
  readonly neighbours: readonly Appliance[]
}

/** The appliances that a command line means. Throws usage errors and what the client throws. */
export async function chosenAppliances(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: DrainFlags,
): Promise<Chosen> {
  if (words.length === 0) throw usageError('which? name appliances or sites, such as `weir drain appliance fra1-a`')
  const discovery = await discovered(connection, io.interrupted, (kept) => knowsTypes(kept, words))
  const { targets } = parseTargets(discovery, words, {
    allNamespaces: flags.allNamespaces ?? false,
    selected: Boolean(flags.selector || flags.fieldSelector),
    allowCollections: flags.all ?? false,
  })
  const strange = targets.find(
    ({ resource: { group, kind } }) => group !== appliances.group || !['Appliance', 'Site'].includes(kind),
  )
  if (strange) throw usageError(`${strange.resource.plural} cannot be drained, only appliances and sites`)
  const resource = discovery.resources.find(({ group, kind }) => group === appliances.group && kind === appliances.kind)
  if (!resource) throw new CliError(ExitCode.api, 'the server does not serve appliances')

  const { answers, errors } = await readTargets(connection, targets, flags, AS_JSON, io.interrupted)
  if (errors.length > 0) throw errors[0]
  const found = objectsOf(answers) as readonly (KubeObject & JsonObject)[]
  const named = found.filter(({ kind }) => kind === 'Appliance') as unknown as Appliance[]
  const sites = new Set(found.filter(({ kind }) => kind === 'Site').map(({ metadata }) => key(metadata)))
  const namespaces = new Set(found.map(({ metadata }) => metadata.namespace ?? ''))
  const lists = await Promise.all(
    [...namespaces].map((namespace) => connection.client.list(appliances, { namespace, signal: io.interrupted })),
  )
  const neighbours = lists.flatMap(({ items }) => items)
  const atSites = neighbours.filter(({ metadata, spec }) =>
    sites.has(key({ namespace: metadata.namespace, name: spec.siteRef.name })),
  )
  const chosen = [...new Map([...named, ...atSites].map((each) => [key(each.metadata), each])).values()]
  chosen.sort((a, b) => (key(a.metadata) < key(b.metadata) ? -1 : 1))
  return { resource, chosen, neighbours }
}

const key = ({ namespace, name }: { readonly namespace?: string | undefined; readonly name?: string | undefined }) =>
  `${namespace}/${name}`
