import type { KubeObject } from '../../../crds/metadata.ts'
import type { Appliance, HardwareClass, PlacementPolicy, Site } from '../../../crds/types.gen.ts'
import { type LabelSelector, matchesSelector } from '../../../reconcilers/labels/selector.ts'
import type { Path } from '../../manifests/manifest.ts'
import { blamed, type Labels } from './blamed.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

type Selectors = 'namespaceSelector' | 'selector' | 'siteSelector'
/** Why an appliance is not selected; `maybe`: what would tell is not in the set. */
type Verdict = 'selected' | 'maybe' | 'decommissioned' | Selectors | 'namespace'

/** Every namespace carries its name as this label, once it is there. */
const NAME_LABEL = 'kubernetes.io/metadata.name'
const WHY: readonly Exclude<Verdict, 'selected' | 'maybe'>[] = [
  'namespace',
  'namespaceSelector',
  'selector',
  'siteSelector',
  'decommissioned',
]

/** Policies that select none of the set's appliances, where the set can tell. Appliances are chosen as the controller chooses them. */
export const policySelectsNothing: Rule = {
  id: 'policy-selects-nothing',
  severity: 'warning',
  about: 'A PlacementPolicy selects none of the appliances in the set.',
  *check(set: FleetSet): Generator<Finding> {
    const appliances = set.of<Appliance>('Appliance').all
    if (appliances.length === 0) return
    const fleet = new Fleet(set)
    for (const policy of set.of<PlacementPolicy>('PlacementPolicy').all) {
      const verdicts = appliances.map((appliance) => fleet.verdict(policy, appliance))
      if (verdicts.some((verdict) => verdict === 'selected' || verdict === 'maybe')) continue
      // The selector that comes last is the one that all would have to pass.
      const why = WHY.findLast((reason) => verdicts.includes(reason))!
      const near = appliances.filter((_, i) => verdicts[i] === why)
      yield fleet.explain(policy, why, near)
    }
  },
}

class Fleet {
  readonly #sites: ReadonlyMap<string, Site>
  readonly #classes: ReadonlySet<string>
  readonly #namespaces: ReadonlyMap<string, Labels>

  constructor(set: FleetSet) {
    this.#sites = new Map(set.of<Site>('Site').all.map((site) => [`${site.namespace}/${site.name}`, site.object]))
    this.#classes = new Set(set.of<HardwareClass>('HardwareClass').all.map(({ name }) => name))
    this.#namespaces = new Map(
      set
        .of<KubeObject>('Namespace')
        .all.map(({ name, object }) => [name, { ...object.metadata.labels, [NAME_LABEL]: name }]),
    )
  }

  verdict(policy: Member<PlacementPolicy>, { object, namespace }: Member<Appliance>): Verdict {
    const { siteSelector, selector, namespaceSelector } = policy.object.spec.appliances ?? {}
    if (object.spec.mode === 'Decommissioned') return 'decommissioned'
    if (!namespaceSelector && namespace !== policy.namespace) return 'namespace'
    const labels = this.#namespaces.get(namespace)
    if (namespaceSelector) {
      if (labels ? !matchesSelector(namespaceSelector, labels) : surelyNot(namespaceSelector, namespace))
        return 'namespaceSelector'
    }
    if (selector && !matchesSelector(selector, object.metadata.labels)) return 'selector'
    const site = this.#sites.get(`${namespace}/${object.spec.siteRef.name}`)
    if (site && siteSelector && !matchesSelector(siteSelector, site.metadata.labels)) return 'siteSelector'
    const told = site && this.#classes.has(object.spec.hardwareClassRef.name) && (!namespaceSelector || labels)
    return told ? 'selected' : 'maybe'
  }

  explain(
    policy: Member<PlacementPolicy>,
    why: Exclude<Verdict, 'selected' | 'maybe'>,
    near: readonly Member<Appliance>[],
  ): Finding {
    const { manifest, object, namespace } = policy
    const at: Path = ['spec', 'appliances']
    if (why === 'decommissioned') {
      return { manifest, path: at, message: 'selects no appliance of this set but decommissioned ones' }
    }
    if (why === 'namespace') {
      const message = `selects no appliance of this set: there is none in namespace "${namespace}", and without a namespaceSelector no other is looked in`
      return { manifest, path: at, message }
    }
    const selector: LabelSelector = object.spec.appliances[why] ?? {}
    const labels = near.map((appliance) => this.#labels(why, appliance))
    const blame = blamed(selector, labels)
    const whose = { namespaceSelector: 'namespace', selector: 'appliance', siteSelector: 'site' }[why]
    if (!blame) return { manifest, path: [...at, why], message: `no ${whose} of this set has all of these labels` }
    return {
      manifest,
      path: [...at, why, ...blame.path],
      part: blame.part,
      message: `selects nothing: no ${whose} of this set has the label ${blame.label}${blame.like === undefined ? '' : `; did you mean "${blame.like}"?`}`,
      ...(blame.like === undefined ? {} : { suggestion: blame.like }),
    }
  }

  #labels(why: Selectors, { object, namespace }: Member<Appliance>): Labels {
    if (why === 'selector') return object.metadata.labels ?? {}
    if (why === 'namespaceSelector') return this.#namespaces.get(namespace) ?? { [NAME_LABEL]: namespace }
    return this.#sites.get(`${namespace}/${object.spec.siteRef.name}`)?.metadata.labels ?? {}
  }
}

/** Of a namespace that is not in the set nothing is known but its name. */
function surelyNot(selector: LabelSelector, namespace: string): boolean {
  const ofName = {
    matchLabels: Object.fromEntries(Object.entries(selector.matchLabels ?? {}).filter(([key]) => key === NAME_LABEL)),
    matchExpressions: (selector.matchExpressions ?? []).filter(({ key }) => key === NAME_LABEL),
  }
  return !matchesSelector(ofName, { [NAME_LABEL]: namespace })
}
