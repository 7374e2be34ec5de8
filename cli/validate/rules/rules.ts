import { serialNumberTwice, writtenByControllers } from './machines.ts'
import { parentCycle } from './parent-cycle.ts'
import { policySelectsNothing } from './policy-selects-nothing.ts'
import { prefixOverlap } from './prefix-overlap.ts'
import { references } from './references.ts'
import type { Rule } from './rule.ts'
import { steering } from './steering.ts'
import { windows } from './windows.ts'

/** What is looked for across the objects of a set. */
export const rules: readonly Rule[] = [
  ...references,
  parentCycle,
  ...windows,
  prefixOverlap,
  policySelectsNothing,
  ...steering,
  serialNumberTwice,
  writtenByControllers,
]

/** A name that problems go by, in every output. */
export interface RuleInfo {
  readonly id: string
  readonly severity: 'error' | 'warning' | 'note'
  readonly about: string
  /** `--ignore` leaves it out. */
  readonly optional: boolean
}

const error = (id: string, about: string): RuleInfo => ({ id, severity: 'error', about, optional: false })

/** Everything that `weir validate` can say, in the order of its documentation. */
export const allRules: readonly RuleInfo[] = [
  error('unreadable', 'A file cannot be read as text.'),
  error('syntax', 'A document is not YAML or JSON, or uses what manifests may not.'),
  error('number', 'A number cannot be kept exactly, or is written ambiguously.'),
  error('not-an-object', 'A document is not a Kubernetes object.'),
  error('type-meta', 'An object has no apiVersion, kind or name.'),
  error('unknown-kind', 'There is no such kind, or no such version of it.'),
  error('unknown-field', 'A field is not in the schema; a server would refuse or drop it.'),
  error('invalid', 'A value breaks the schema, a validation rule, or a rule for all objects.'),
  error('duplicate', 'The same object is there twice.'),
  ...rules.map(({ id, severity, about }) => ({ id, severity, about, optional: true })),
  {
    id: 'ambiguous-text',
    severity: 'warning',
    about: 'A text without quotes is a text here, and a boolean or a number to kubectl, Argo CD and Flux.',
    optional: true,
  },
  {
    id: 'not-checked',
    severity: 'note',
    about: 'An object was not checked: its kind has no definition at hand, or only kustomize knows it.',
    optional: true,
  },
]
