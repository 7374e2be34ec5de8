import { maskProblems } from '../changes/mask-problems.ts'
import type { CheckedObject } from '../manifests/check.ts'
import type { LoadedManifests } from '../manifests/manifest.ts'
import type { Problem } from '../manifests/problem.ts'
import type { Place } from '../manifests/source-text.ts'
import { fleetSet } from './rules/fleet-set.ts'
import { runRules } from './rules/rule.ts'
import { rules } from './rules/rules.ts'

export type Severity = 'error' | 'warning' | 'note'

/** An object that was looked at. */
export interface ReportedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  readonly file: string
  readonly place: Place
  readonly checked: boolean
}

/** What `weir validate` found, for any output. */
export interface Report {
  readonly files: readonly string[]
  readonly objects: readonly ReportedObject[]
  /** By file, in the order they were read, then by place. */
  readonly problems: readonly Problem<string>[]
  readonly counts: Readonly<Record<Severity, number>>
  /** Files that are kustomizations. */
  readonly kustomizations: readonly string[]
  /** Objects of which some rules were not run, because what they look at is wrong. */
  readonly rulesLeftOut: number
}

export interface ReportOptions {
  readonly namespace: string
  /** Rules that are left out. */
  readonly ignore: ReadonlySet<string>
  /** Warnings and notes are errors. */
  readonly strict: boolean
}

export const severityOf = (problem: Problem<string>): Severity => problem.severity ?? 'error'

/** Puts together what was found file by file and object by object, and what rules find across objects. */
export function makeReport(
  loaded: LoadedManifests,
  checked: readonly CheckedObject[],
  ofDefinitions: readonly Problem<string>[],
  { namespace, ignore, strict }: ReportOptions,
): Report {
  const wanted = rules.filter(({ id }) => !ignore.has(id))
  const found: Problem<string>[] = [
    ...loaded.problems.map(softened),
    ...loaded.warnings,
    ...ofDefinitions,
    ...checked.flatMap((one) => problemsOf(one)),
    ...runRules(wanted, fleetSet(checked, namespace)),
  ].filter(({ code }) => !ignore.has(code))
  const masked = maskProblems(strict ? found.map(hardened) : found, loaded.manifests)
  const problems = inOrder(masked, loaded.files)
  const counts = { error: 0, warning: 0, note: 0 }
  for (const problem of problems) counts[severityOf(problem)]++
  return {
    files: loaded.files,
    objects: checked.map(reported),
    problems,
    counts,
    kustomizations: loaded.problems.filter(({ code }) => code === 'kustomization').map(({ file }) => file),
    rulesLeftOut: checked.filter(({ rulesLeftOut }) => rulesLeftOut).length,
  }
}

function problemsOf(one: CheckedObject): readonly Problem<string>[] {
  return one.known || one.problems.length > 0 ? one.problems : [notChecked(one)]
}

function reported({ manifest, known }: CheckedObject): ReportedObject {
  const { apiVersion, kind, metadata } = manifest.object
  return {
    apiVersion,
    kind,
    namespace: metadata.namespace || undefined,
    name: metadata.name ?? '',
    file: manifest.file,
    get place() {
      return manifest.place
    },
    checked: known !== undefined,
  }
}

/** A kustomization among the files is nothing wrong: it is only not for us to check. */
function softened(problem: Problem): Problem<string> {
  return problem.code === 'kustomization' ? { ...problem, code: 'not-checked', severity: 'note' } : problem
}

function notChecked({ manifest }: CheckedObject): Problem<string> {
  const { apiVersion, kind } = manifest.object
  const message = `${apiVersion} ${kind} has no definition here, so this was not checked; --crds names files with definitions`
  return { ...manifest.problem('not-checked', ['kind'], 'value', message), severity: 'note' }
}

function hardened(problem: Problem<string>): Problem<string> {
  const { severity: _, ...error } = problem
  return error
}

function inOrder(problems: readonly Problem<string>[], files: readonly string[]): Problem<string>[] {
  const rank = new Map(files.map((file, i) => [file, i]))
  const rankOf = ({ file }: Problem<string>) => rank.get(file) ?? files.length
  return problems.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.at?.start ?? -1) - (b.at?.start ?? -1))
}
