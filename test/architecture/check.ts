import { posix } from 'node:path'
import { outside, type RoomRule, rooms, withoutCode } from './rules.ts'
import { readSource, type SourceFacts } from './source.ts'

/** One breach of the architecture, as a sentence that begins with file:line. */
export type Violation = string

/**
 * Checks a tree of sources (path from the root, with `/` → text) against the table of rooms.
 * `folders`: every folder at the root that is part of the project.
 */
export function checkArchitecture(sources: ReadonlyMap<string, string>, folders: readonly string[]): Violation[] {
  const facts = new Map([...sources].map(([file, code]) => [file, readSource(code)]))
  return [
    ...unknownFolders(folders),
    ...[...facts].flatMap(([file, fact]) => checkFile(file, fact, sources)),
    ...cycles(facts),
  ].sort()
}

function unknownFolders(folders: readonly string[]): Violation[] {
  const known = new Set([...Object.keys(rooms), ...outside, ...withoutCode])
  return folders
    .filter((folder) => !known.has(folder))
    .map(
      (folder) =>
        `${folder}/: no such room; put it where it belongs, or add it to docs/architecture.md and test/architecture/rules.ts`,
    )
}

function checkFile(file: string, { imports, impure }: SourceFacts, sources: ReadonlyMap<string, string>): Violation[] {
  const room = roomOf(file)
  const rule = rooms[room]
  if (!rule) return []
  const violations: Violation[] = []
  const say = (line: number, text: string) => violations.push(`${file}:${line}: ${text}`)
  for (const { specifier, line } of imports) {
    const problem = specifier.startsWith('.')
      ? checkRelative(file, room, rule, specifier, sources)
      : checkPackage(room, rule, specifier)
    if (problem) say(line, problem)
  }
  if (rule.pure)
    for (const { what, instead, line } of impure) say(line, `${room}/ is pure and may not use ${what}; ${instead}`)
  return violations
}

function checkRelative(
  file: string,
  room: string,
  rule: RoomRule,
  specifier: string,
  sources: ReadonlyMap<string, string>,
): string | undefined {
  const target = resolve(file, specifier)
  if (target.startsWith('..')) return `imports "${specifier}" from outside the project`
  if (specifier.endsWith('.ts') && !sources.has(target)) return `imports "${specifier}", which does not exist`
  const to = roomOf(target)
  if (to === room || (rule.rooms === 'all' && rooms[to])) return undefined
  if (rule.rooms !== 'all' && rule.rooms.includes(to)) return undefined
  return `${room}/ may not import ${to}/; ${alternative(room, to, rule)}`
}

function alternative(room: string, to: string, rule: RoomRule): string {
  if (outside.includes(to)) return 'move what the product needs into a room'
  if (to === 'cli') return 'cli/ composes the programs, so let it pass in what is needed'
  const programs = ['controllers', 'apiserver', 'gateway', 'agent', 'steering']
  if (programs.includes(room) && programs.includes(to)) {
    return 'programs meet through the API and blobs; what both decide goes to reconcilers/, what both run on to runtime/'
  }
  if (to === 'runtime') return 'declare the narrow interface that is needed here, and let the caller pass it in'
  return `it may import ${rule.rooms === 'all' ? 'all rooms' : rule.rooms.map((r) => `${r}/`).join(', ') || 'only itself'}`
}

function checkPackage(room: string, rule: RoomRule, specifier: string): string | undefined {
  if (specifier === '(computed)') return 'imports a computed path; write the path out'
  if (specifier.startsWith('node:')) {
    return rule.node
      ? undefined
      : `${room}/ may not import ${specifier}; pass in what it gives, or write it with plain JavaScript`
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (rule.packages === 'all' || rule.packages.includes(name)) return undefined
  const allowed = rule.packages.length === 0 ? 'no packages' : `of packages only ${rule.packages.join(', ')}`
  return `${room}/ may not import "${name}" but ${allowed}; wrap it in runtime/ and import that`
}

/** Each cycle of imports between files once, from its first file in order of name. Types count: a cycle of types is a cycle of ideas. */
function cycles(facts: ReadonlyMap<string, SourceFacts>): Violation[] {
  const found = new Map<string, Violation>()
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) {
      const loop = trail.slice(at)
      const from = loop.indexOf([...loop].sort()[0]!)
      const ordered = [...loop.slice(from), ...loop.slice(0, from)]
      const key = ordered.join(' ')
      const line = facts
        .get(ordered[0]!)!
        .imports.find((i) => resolve(ordered[0]!, i.specifier) === (ordered[1] ?? ordered[0]))?.line
      const path = [...ordered, ordered[0]].join(' → ')
      found.set(key, `${ordered[0]}:${line}: imports in a circle: ${path}; move what both need into a file of its own`)
      return
    }
    if (done.has(file)) return
    for (const { specifier } of facts.get(file)?.imports ?? []) {
      if (specifier.startsWith('.')) visit(resolve(file, specifier), [...trail, file])
    }
    done.add(file)
  }
  for (const file of [...facts.keys()].sort()) visit(file, [])
  return [...found.values()]
}

const resolve = (file: string, specifier: string) => posix.normalize(posix.join(posix.dirname(file), specifier))
const roomOf = (file: string) => file.split('/', 1)[0]!
