import { CliError, ExitCode } from '../exit.ts'
import { closest } from '../manifests/suggest.ts'
import type { Discovery, ServedResource } from './discovery.ts'

/**
 * The resource that a word on the command line means: plural, singular, short name or kind, alone or as `name.group` or
 * `name.version.group`. Of several groups the one that the server lists first. Undefined where there is none.
 */
export function findResource({ resources }: Discovery, word: string): ServedResource | undefined {
  const [name = '', ...rest] = word.split('.')
  const suffix = rest.join('.')
  const [version, group] = [rest[0] ?? '', rest.slice(1).join('.')]
  const candidates =
    suffix === ''
      ? resources
      : [
          ...resources.filter((r) => r.group === group && r.version === version),
          ...resources.filter((r) => r.group === suffix || r.group.startsWith(`${suffix}.`)),
        ]
  const lower = name.toLowerCase()
  return (
    candidates.find((r) => r.plural === lower) ??
    candidates.find((r) => r.singular === lower || r.kind.toLowerCase() === lower) ??
    candidates.find((r) => r.shortNames.includes(lower))
  )
}

/** As `findResource`; throws, with a suggestion, where there is none. */
export function resourceFor(discovery: Discovery, word: string): ServedResource {
  const found = findResource(discovery, word)
  if (found) return found
  throw new CliError(ExitCode.usage, `the server doesn't have a resource type "${word}"${suggestion(discovery, word)}`)
}

/** Whether a word means a type or a category. */
export function isKnownType(discovery: Discovery, word: string): boolean {
  return findResource(discovery, word) !== undefined || categoryMembers(discovery, word) !== undefined
}

function suggestion({ resources }: Discovery, word: string): string {
  const names = resources.flatMap((r) => [r.plural, r.singular, ...r.shortNames.filter((short) => short.length > 2)])
  const like = closest(word.toLowerCase(), names)
  return like === undefined ? '' : `; did you mean "${like}"?`
}

/** The resources that a list such as `sites,ap/x,weir` names: types, and categories taken apart. */
export function resourcesFor(discovery: Discovery, words: string): ServedResource[] {
  const found = words
    .split(',')
    .filter((word) => word !== '')
    .flatMap((word) => categoryMembers(discovery, word) ?? [resourceFor(discovery, word)])
  return [...new Map(found.map((r) => [`${r.group}/${r.plural}`, r])).values()]
}

/** What can be listed of a category, each once at its preferred version; undefined where there is no such category. */
function categoryMembers({ resources }: Discovery, word: string): ServedResource[] | undefined {
  const members = resources.filter((r) => r.categories.includes(word) && r.verbs.includes('list'))
  const preferred = members.filter((r) => resources.find((o) => o.group === r.group && o.plural === r.plural) === r)
  return preferred.length > 0 ? preferred : undefined
}

/** The served resource of an object, at exactly its version. */
export function resourceOfKind({ resources }: Discovery, apiVersion: string, kind: string): ServedResource | undefined {
  const slash = apiVersion.indexOf('/')
  const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
  return resources.find((r) => r.group === group && r.version === version && r.kind === kind)
}
