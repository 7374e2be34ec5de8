import { usageError } from '../exit.ts'
import type { Discovery, ServedResource } from './discovery.ts'
import { isKnownType, resourceFor, resourcesFor } from './mapping.ts'

/** What a command line such as `sites,ap -l a=b` or `ap/fra1-a ap/fra1-b` names. */
export type Target =
  | { readonly type: 'collection'; readonly resource: ServedResource }
  | { readonly type: 'object'; readonly resource: ServedResource; readonly name: string }

export interface Targets {
  readonly targets: readonly Target[]
  /** One object was named and nothing else: its own JSON is printed rather than a List. */
  readonly single: boolean
}

export interface TargetOptions {
  readonly allNamespaces: boolean
  /** Whether a label or field selector was given. */
  readonly selected: boolean
  /** Whether types without names are allowed, as `get` allows and `delete` does not without `--all` or a selector. */
  readonly allowCollections: boolean
}

/** Whether all types that words name are known; where what is remembered of a server does not know them, the server may. */
export function knowsTypes(discovery: Discovery, words: readonly string[]): boolean {
  const slashed = words.some((word) => word.includes('/'))
  const types = slashed ? words.map((word) => word.split('/', 1)[0]!) : words.slice(0, 1)
  return types.flatMap((type) => type.split(',')).every((type) => type === '' || isKnownType(discovery, type))
}

/** Reads `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME …`, with kubectl's rules and messages. Throws usage errors. */
export function parseTargets(discovery: Discovery, words: readonly string[], options: TargetOptions): Targets {
  const targets = words.some((word) => word.includes('/'))
    ? slashed(discovery, words)
    : spaced(discovery, words, options)
  const named = targets.some(({ type }) => type === 'object')
  if (named && options.selected) throw usageError('name cannot be provided when a selector is specified')
  if (named && options.allNamespaces) throw usageError('a resource cannot be retrieved by name across all namespaces')
  return { targets, single: targets.length === 1 && named }
}

function slashed(discovery: Discovery, words: readonly string[]): Target[] {
  return words.flatMap((word) => {
    const parts = word.split('/')
    if (parts.length === 1) {
      throw usageError(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'weir get resource/<resource_name>' instead of 'weir get resource resource/<resource_name>')",
      )
    }
    const [type = '', name = ''] = parts
    if (parts.length !== 2 || type === '' || name === '') {
      throw usageError(
        parts.length > 2
          ? 'arguments in resource/name form may not have more than one slash'
          : 'arguments in resource/name form must have a single resource and name',
      )
    }
    return resourcesFor(discovery, type).map((resource): Target => ({ type: 'object', resource, name }))
  })
}

function spaced(discovery: Discovery, [types = '', ...names]: readonly string[], options: TargetOptions): Target[] {
  if (types === '') throw usageError('you must specify the type of resource')
  if (names.length > 0) {
    const unique = [...new Set(names)]
    const resources = types.includes(',') ? resourcesFor(discovery, types) : [resourceFor(discovery, types)]
    return resources.flatMap((resource) => unique.map((name): Target => ({ type: 'object', resource, name })))
  }
  if (!options.allowCollections && !options.selected) {
    throw usageError('resource(s) were provided, but no name was specified')
  }
  return resourcesFor(discovery, types).map((resource) => ({ type: 'collection', resource }))
}
