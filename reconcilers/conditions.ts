import type { Condition } from '../crds/metadata.ts'

/** A condition as a reconciler wants it: without the times, which come from what was there before. */
export type WantedCondition<R extends string = string> = Pick<Condition, 'type' | 'status' | 'message'> & {
  readonly reason: R
}

/** Why something is so: a reason constant (documented in crds/reasons.ts) and a stable sentence. */
export interface Cause<R extends string = string> {
  readonly reason: R
  readonly message: string
}

/**
 * Makes the wanted conditions complete: `lastTransitionTime` is kept where the status is as before and is `now` where it changed;
 * `observedGeneration` is `generation`. Gives exactly the wanted ones, in their order: under server-side apply a manager says all that
 * it owns, so a condition left out is removed, and other managers' conditions are never touched.
 */
export function upsertConditions(
  existing: readonly Condition[] | undefined,
  wanted: readonly WantedCondition[],
  now: Date,
  generation: number | undefined,
): Condition[] {
  return wanted.map((condition) => {
    const before = existing?.find((c) => c.type === condition.type)
    return {
      type: condition.type,
      status: condition.status,
      reason: condition.reason,
      message: condition.message,
      lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : timestamp(now),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
  })
}

/** metav1.Time: RFC 3339, UTC, whole seconds. */
export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

/** What a kind's `Ready` is made of. */
export interface ReadySummary {
  /** Said with `Ready=True` when nothing is against it. */
  readonly ready: Cause
  /** Only a change by a person helps: `Stalled=True`, `Ready=False`. */
  readonly stalled?: Cause
  /** Work is under way: `Reconciling=True`. */
  readonly reconciling?: Cause
  /** `true`: `Ready` stays as the rest has it while `reconciling` (what is published stays usable). Otherwise `Ready=False`. */
  readonly usable?: boolean
  /** The kind's own conditions, reported after `Ready`. */
  readonly conditions?: readonly WantedCondition[]
  /** Those of `conditions` without which nothing is ready, the most telling first. One that is absent counts as Unknown. */
  readonly required?: readonly string[]
}

/**
 * The one place where `Ready`, `Reconciling` and `Stalled` are derived, so that kstatus (Argo CD, Flux, `kubectl wait`) reads every kind
 * alike. `Reconciling` and `Stalled` are present only when True. Order: Ready, the kind's own, Reconciling, Stalled.
 * Source: https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
 */
export function summarize(summary: ReadySummary): WantedCondition[] {
  const { stalled, reconciling, conditions = [] } = summary
  return [
    readyCondition(summary),
    ...conditions,
    ...(reconciling && !stalled ? [{ type: 'Reconciling', status: 'True' as const, ...causeOf(reconciling) }] : []),
    ...(stalled ? [{ type: 'Stalled', status: 'True' as const, ...causeOf(stalled) }] : []),
  ]
}

function readyCondition({
  ready,
  stalled,
  reconciling,
  usable,
  conditions = [],
  required = [],
}: ReadySummary): WantedCondition {
  if (stalled) return { type: 'Ready', status: 'False', ...causeOf(stalled) }
  for (const type of required) {
    const condition = conditions.find((c) => c.type === type)
    if (condition === undefined)
      return { type: 'Ready', status: 'Unknown', reason: `${type}Unknown`, message: `${type} is not known yet` }
    if (condition.status !== 'True') return { type: 'Ready', status: condition.status, ...causeOf(condition) }
  }
  if (reconciling && !usable) return { type: 'Ready', status: 'False', ...causeOf(reconciling) }
  return { type: 'Ready', status: 'True', ...causeOf(ready) }
}

function causeOf({ reason, message }: Cause): Cause {
  return { reason, message }
}
