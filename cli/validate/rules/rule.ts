import type { Manifest, Path } from '../../manifests/manifest.ts'
import type { Problem } from '../../manifests/problem.ts'
import type { FleetSet } from './fleet-set.ts'

/** Something that objects which are right one by one can get wrong together, or that is right and yet surely not meant. */
export interface Rule {
  readonly id: string
  readonly severity: 'error' | 'warning'
  /** One sentence for people: what is found. */
  readonly about: string
  check(set: FleetSet): Iterable<Finding>
}

export interface Finding {
  readonly manifest: Manifest
  readonly path: Path
  readonly part?: 'key' | 'value'
  readonly message: string
  readonly suggestion?: string
  readonly related?: Problem['related']
}

/** A path as Kubernetes writes it. */
export function fieldText(path: Path): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${step}`)).join('')
}

/** Runs rules over a set. */
export function* runRules(rules: readonly Rule[], set: FleetSet): Generator<Problem<string>> {
  for (const { id, severity, check } of rules) {
    for (const { manifest, path, part = 'value', message, suggestion, related } of check(set)) {
      yield {
        ...manifest.problem(id, path, part, message, fieldText(path)),
        ...(severity === 'warning' ? { severity } : {}),
        ...(suggestion === undefined ? {} : { suggestion }),
        ...(related ? { related } : {}),
      }
    }
  }
}
