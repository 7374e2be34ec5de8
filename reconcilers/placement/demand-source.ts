import type { Reason } from '../../crds/reasons.ts'
import type { Catalog, PlacementPolicy } from '../../crds/types.gen.ts'
import type { Demand } from '../blobs/demand.ts'
import type { WantedCondition } from '../conditions.ts'
import { dayOfText } from '../demand/counts.ts'
import { median } from '../demand/decay.ts'

/** Counts may be so many days old: one for the day that is not over, and two for whoever mends what is broken. */
const FRESH_DAYS = 3

/** Where a policy's popularity comes from now. */
export interface DemandSource {
  /** The demand blob to plan by; undefined while the catalog has published none. */
  readonly digest: string | undefined
  /** The catalog's own, where `digest` is another: for files that came after that one was made. */
  readonly catalogDigest?: string
  /** The `DemandCounted` condition; undefined where the policy does not ask for counts. */
  readonly condition?: (now: Date) => WantedCondition<Reason<'PlacementPolicy'>>
}

/** Chooses by `spec.demand.source`; the catalog's own popularity wherever nothing was counted. */
export function demandSource({ spec }: PlacementPolicy, catalog: Catalog | undefined): DemandSource {
  const { demandDigest: own, counted } = catalog?.status ?? {}
  const source = spec.demand?.source ?? 'catalog'
  if (source === 'catalog') return { digest: own }
  const digest = source === 'forecast' ? counted?.forecastDigest : counted?.observedDigest
  const is = (status: 'True' | 'False', reason: Reason<'PlacementPolicy'>, message: string) => () => ({
    type: 'DemandCounted',
    status,
    reason,
    message,
  })
  if (!counted)
    return {
      digest: own,
      condition: is('False', 'NotPublished', 'No gateway has published demand; planned by the catalog’s popularity'),
    }
  const { days, lastDay } = counted
  if (digest === undefined || lastDay === undefined) {
    const message = `Nothing was counted on a whole day before ${counted.day}; planned by the catalog’s popularity`
    return { digest: own, condition: is('False', 'NothingCounted', message) }
  }
  const what = source === 'forecast' ? 'the forecast from' : 'what was counted on'
  const by = `Planned by ${what} ${days} day${days === 1 ? '' : 's'} up to ${lastDay}`
  return {
    digest,
    ...(own !== undefined && { catalogDigest: own }),
    condition(now) {
      const isFresh = now.getTime() / 86_400_000 - dayOfText(lastDay) <= FRESH_DAYS + 1
      if (isFresh) return is('True', 'Counted', by)()
      return is('False', 'Outdated', `${by}: nothing newer was published`)()
    },
  }
}

/**
 * Counted demand, with files that the catalog has got since: they have the catalog's popularity at the scale of the files that both know, so that a new title need not
 * wait for the next day to be placed.
 */
export function withNewFiles(counted: Demand, own: Demand): Demand {
  const [first] = own.popularity
  const known = counted.popularity[0]?.length ?? 0
  const size = first?.length ?? 0
  if (size <= known) return counted
  const ratios: number[] = []
  const others = counted.popularity[0]!
  for (let f = 0; f < known; f++) if (first![f]! > 0 && others[f]! > 0) ratios.push(others[f]! / first![f]!)
  const scale = median(ratios) ?? 1
  return {
    classes: counted.classes,
    popularity: counted.popularity.map((column, k) => {
      const all = new Float64Array(size)
      all.set(column)
      const name = counted.classes[k - 1]
      const hint = own.popularity[name === undefined ? 0 : own.classes.indexOf(name) + 1]!
      for (let f = known; f < size; f++) all[f] = hint[f]! * scale
      return all
    }),
  }
}
