import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { customResourceDefinitions, type ObjectKey } from '../../runtime/client/resource.ts'
import { isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { type Discovery, qualifiedKind, qualifiedName, type ServedResource } from '../api/discovery.ts'
import { findResource, resourceFor } from '../api/mapping.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import {
  applySetId,
  ID_LABEL,
  KINDS_ANNOTATION,
  NAMESPACES_ANNOTATION,
  PARENT_FIELD_MANAGER,
  PARENT_TYPE_LABEL,
  RESOURCES_ANNOTATION,
  TOOL,
  TOOLING,
  TOOLING_ANNOTATION,
} from './id.ts'

/** What an ApplySet's members are, as far as its parent says where to look. */
export interface Scope {
  /** `Kind.group`, or `Kind` of core; undefined: the parent does not say, and every kind has to be asked. */
  readonly kinds: ReadonlySet<string> | undefined
  /** All of its namespaces, the parent's own included. */
  readonly namespaces: ReadonlySet<string>
}

/** A set of objects that are applied, and pruned, together; its parent object says what it is and where its members are. */
export interface ApplySet {
  readonly id: string
  readonly resource: ServedResource
  readonly key: ObjectKey
  /** The parent as it was read; undefined: there is none yet, and so there are no members. */
  readonly parent: KubeObject | undefined
  /** Of the members of before. */
  readonly scope: Scope
}

/** `secret/fleet`: how messages name a set. */
export const applySetName = ({ resource, key }: ApplySet) => `${qualifiedKind(resource)}/${key.name}`

export interface ReadOptions {
  readonly signal: AbortSignal
  /** Whether the set is to be changed, which only its own tool may do. */
  readonly change: boolean
}

/**
 * The set that `--applyset=[TYPE[.GROUP]/]NAME` names, a Secret's unless a type is given. Throws exit code 2 for what cannot be a parent, 4
 * for a set that is another tool's.
 */
export async function readApplySet(
  connection: Connection,
  discovery: Discovery,
  flag: string,
  { signal, change }: ReadOptions,
): Promise<ApplySet> {
  const { client } = connection
  const { resource, name } = parseReference(discovery, flag)
  const key = { name, ...(resource.namespaced ? { namespace: connection.namespace } : {}) }
  const id = applySetId(resource, key)
  const builtIn = resource.group === '' && ['Secret', 'ConfigMap'].includes(resource.kind)
  if (!builtIn) await mayBeParent(client, resource, signal)
  const parent = await client.find(resource, key, { signal })
  const own = resource.namespaced ? [connection.namespace] : []
  if (!parent) {
    if (!builtIn)
      throw usageError(`there is no ${qualifiedKind(resource)}/${name}; only Secrets and ConfigMaps are made`)
    return { id, resource, key, parent, scope: { kinds: new Set(), namespaces: new Set(own) } }
  }
  checkParent(`${qualifiedKind(resource)}/${name}`, parent, id, change)
  const annotations = parent.metadata.annotations ?? {}
  const namespaces = new Set([...listed(annotations[NAMESPACES_ANNOTATION]), ...own])
  return { id, resource, key, parent, scope: { kinds: kindsOf(annotations, discovery), namespaces } }
}

function parseReference(
  discovery: Discovery,
  flag: string,
): { readonly resource: ServedResource; readonly name: string } {
  const slash = flag.indexOf('/')
  const [type, name] = slash < 0 ? ['secrets', flag] : [flag.slice(0, slash), flag.slice(slash + 1)]
  if (name === '' || name.includes('/')) throw usageError(`--applyset is [TYPE[.GROUP]/]NAME, not "${flag}"`)
  return { resource: resourceFor(discovery, type), name }
}

async function mayBeParent(client: Client, resource: ServedResource, signal: AbortSignal): Promise<void> {
  const crd = await client.find(customResourceDefinitions, { name: qualifiedName(resource) }, { signal })
  if (crd?.metadata.labels?.[PARENT_TYPE_LABEL] === undefined)
    throw usageError(
      `a ${qualifiedKind(resource)} cannot be the parent of an ApplySet: only Secrets, ConfigMaps and kinds whose definition has the label ${PARENT_TYPE_LABEL} can`,
    )
}

function checkParent(what: string, { metadata }: KubeObject, id: string, change: boolean): void {
  const tooling = metadata.annotations?.[TOOLING_ANNOTATION]
  const label = metadata.labels?.[ID_LABEL]
  const refuse = (why: string) => new CliError(ExitCode.conflict, `${what} ${why}; nothing was applied`)
  if (tooling === undefined && label === undefined)
    throw refuse('exists and is no ApplySet; name one that does not exist yet, or whose tooling is weir')
  const tool = tooling?.replace(/\/[^/]*$/, '')
  if (change && tool !== TOOL) throw refuse(`is an ApplySet of the tool "${tool ?? ''}", which alone may change it`)
  if (label !== id)
    throw refuse(`has the label ${ID_LABEL}=${label ?? ''}, where ${id} belongs; it was copied from another`)
}

const listed = (annotation: string | undefined) => (annotation ?? '').split(',').filter((part) => part !== '')

function kindsOf(annotations: Readonly<Record<string, string>>, discovery: Discovery): ReadonlySet<string> | undefined {
  const kinds = annotations[KINDS_ANNOTATION]
  if (kinds !== undefined) return new Set(listed(kinds))
  const resources = annotations[RESOURCES_ANNOTATION]
  if (resources === undefined) return undefined
  const found = listed(resources).map((name) => findResource(discovery, name))
  // One that is not served any more may be a definition that is gone; to be safe, everything is asked.
  return found.some((resource) => !resource) ? undefined : new Set(found.map((resource) => groupKind(resource!)))
}

/** `Site.fleet.weir.dev`, `Secret`. */
export function groupKind({ kind, group }: Pick<ServedResource, 'kind' | 'group'>): string {
  return group === '' ? kind : `${kind}.${group}`
}

/** Both scopes together. */
export function union(one: Scope, other: Scope): Scope {
  return {
    kinds: one.kinds && other.kinds && new Set([...one.kinds, ...other.kinds]),
    namespaces: new Set([...one.namespaces, ...other.namespaces]),
  }
}

/** Writes down where the members are; makes the parent where there is none. Gives the parent as it is then. */
export async function writeScope(
  client: Client,
  set: ApplySet,
  scope: Scope,
  options: { readonly signal?: AbortSignal; readonly dryRun?: boolean },
): Promise<KubeObject> {
  const { resource, key } = set
  const parent = parentObject(set, scope)
  // Its fields belong to whoever is the tool: where others have them, they are left from a tool that kept the set before.
  return client
    .apply(resource, parent, { ...options, fieldManager: PARENT_FIELD_MANAGER, force: true })
    .catch((error) => {
      if (isNotFound(error) && key.namespace !== undefined)
        throw new CliError(
          ExitCode.api,
          `the namespace "${key.namespace}" of ${applySetName(set)}, where the ApplySet is kept, does not exist; -n chooses another`,
          { cause: error },
        )
      throw error
    })
}

/** What Weir says of a set on its parent. */
export function parentObject({ id, resource, key }: ApplySet, { kinds, namespaces }: Scope): KubeObject & JsonObject {
  const others = [...namespaces].filter((namespace) => namespace !== key.namespace)
  const annotations = {
    [TOOLING_ANNOTATION]: TOOLING,
    ...(kinds ? { [KINDS_ANNOTATION]: [...kinds].sort().join(',') } : {}),
    [NAMESPACES_ANNOTATION]: others.sort().join(','),
  }
  return {
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { ...key, labels: { [ID_LABEL]: id }, annotations },
  }
}
