import type { Appliance, Site, SteeringPolicy } from '../../../crds/types.gen.ts'
import { type LabelSelector, matchesSelector } from '../../../reconcilers/labels/selector.ts'
import { regionOf } from '../../../reconcilers/steering/site-lists.ts'
import type { Path } from '../../manifests/manifest.ts'
import { closest } from '../../manifests/suggest.ts'
import { blamed, type Labels } from './blamed.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

type Chosen = 'site' | 'appliance'

/** The selectors of a policy, and where they are in it. */
function* selectors({ spec }: SteeringPolicy): Generator<{ path: Path; selector: LabelSelector; of: Chosen }> {
  const found = (path: Path, selector: LabelSelector | undefined, of: Chosen) =>
    selector ? [{ path: ['spec', ...path], selector, of }] : []
  yield* found(['clients', 'siteSelector'], spec.clients?.siteSelector, 'site')
  yield* found(['canary', 'selector'], spec.canary?.selector, 'appliance')
  for (const [i, cost] of (spec.costs ?? []).entries()) {
    yield* found(['costs', i, 'siteSelector'], cost.siteSelector, 'site')
  }
  for (const [i, pin] of (spec.pins ?? []).entries()) {
    yield* found(['pins', i, 'siteSelector'], pin.siteSelector, 'site')
  }
  for (const [i, drain] of (spec.drains ?? []).entries()) {
    yield* found(['drains', i, 'siteSelector'], drain.siteSelector, 'site')
    yield* found(['drains', i, 'selector'], drain.selector, 'appliance')
  }
}

/** Lists of regions in a policy, and where they are in it. */
function* regionLists({ spec }: SteeringPolicy): Generator<{ path: Path; regions: readonly string[] }> {
  const found = (path: Path, regions: readonly string[] | undefined) =>
    regions ? [{ path: ['spec', ...path, 'regions'], regions }] : []
  yield* found(['clients'], spec.clients?.regions)
  for (const [i, pin] of (spec.pins ?? []).entries()) yield* found(['pins', i, 'clients'], pin.clients.regions)
  for (const [i, drain] of (spec.drains ?? []).entries()) {
    yield* found(['drains', i, 'clients'], drain.clients?.regions)
  }
}

/** Where a SteeringPolicy speaks of sites, appliances or regions that the set does not have, in a set that has some. */
export const steering: readonly Rule[] = [
  {
    id: 'steering-selects-nothing',
    severity: 'warning',
    about: 'A selector of a SteeringPolicy selects none of the sites or appliances in the set.',
    *check(set: FleetSet): Generator<Finding> {
      const labels: Readonly<Record<Chosen, readonly Labels[]>> = {
        site: set.of<Site>('Site').all.map(({ object }) => object.metadata.labels ?? {}),
        appliance: set.of<Appliance>('Appliance').all.map(({ object }) => object.metadata.labels ?? {}),
      }
      for (const { object, manifest } of set.of<SteeringPolicy>('SteeringPolicy').all) {
        for (const { path, selector, of } of selectors(object)) {
          if (labels[of].length === 0 || labels[of].some((one) => matchesSelector(selector, one))) continue
          const blame = blamed(selector, labels[of])
          if (!blame) yield { manifest, path, message: `no ${of} of this set has all of these labels` }
          else {
            yield {
              manifest,
              path: [...path, ...blame.path],
              part: blame.part,
              message: `selects nothing: no ${of} of this set has the label ${blame.label}${blame.like === undefined ? '' : `; did you mean "${blame.like}"?`}`,
              ...(blame.like === undefined ? {} : { suggestion: blame.like }),
            }
          }
        }
      }
    },
  },
  {
    id: 'region-not-found',
    severity: 'warning',
    about: 'A SteeringPolicy names a region that no Site of the set is in.',
    *check(set: FleetSet): Generator<Finding> {
      const sites = set.of<Site>('Site').all
      if (sites.length === 0) return
      const known = new Set(sites.map(({ object }) => regionOf(object)))
      for (const policy of set.of<SteeringPolicy>('SteeringPolicy').all) yield* unknownRegions(policy, known)
    },
  },
]

function* unknownRegions({ object, manifest }: Member<SteeringPolicy>, known: ReadonlySet<string>): Generator<Finding> {
  for (const { path, regions } of regionLists(object)) {
    for (const [i, region] of regions.entries()) {
      if (known.has(region)) continue
      const like = closest(region, known)
      yield {
        manifest,
        path: [...path, i],
        message: `no site of this set is in region "${region}"${like === undefined ? '' : `; did you mean "${like}"?`}`,
        ...(like === undefined ? {} : { suggestion: like }),
      }
    }
  }
}
