import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Appliance, HardwareClass } from '../../crds/types.gen.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { globMatcher } from '../../reconcilers/placement/glob.ts'
import { usageError } from '../exit.ts'
import { didYouMean } from '../manifests/suggest.ts'
import type { Cost, PlannedChange } from './document.ts'
import type { FleetSnapshot } from './fleet-model.ts'

/** What is asked of appliances that nobody has bought, moved or sold yet. Names of sites and appliances may be globs where something is there already. */
export type Supposition =
  | { readonly type: 'add'; readonly site: string; readonly class: string; readonly count: number }
  | { readonly type: 'remove'; readonly site: string; readonly appliance: string }
  | { readonly type: 'class'; readonly site: string; readonly appliance: string; readonly class: string }

/** An appliance as it would be. */
export interface Imagined {
  readonly action: PlannedChange['action']
  readonly object: KubeObject & JsonObject
  readonly before?: KubeObject & JsonObject
}

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
const GLOB = /^[-a-z0-9.*?]+$/
const MOST_ADDED = 10_000
const FORMS = 'add=SITE:CLASS[:COUNT], remove=SITE/APPLIANCE or class=SITE/APPLIANCE:CLASS'

/** Reads what `--what-if` says. Throws a usage error. */
export function readSuppositions(texts: readonly string[]): readonly Supposition[] {
  return texts.map(readSupposition)
}

function readSupposition(text: string): Supposition {
  const [, verb, rest = ''] = /^(\w+)=(.*)$/.exec(text) ?? []
  const refuse = (why = '') => usageError(`--what-if ${text}: ${why === '' ? `expected ${FORMS}` : why}`)
  if (verb === 'add') {
    const [site = '', className = '', count = '1', ...more] = rest.split(':')
    if (!NAME.test(site) || !NAME.test(className) || more.length > 0) throw refuse()
    if (!/^[1-9]\d*$/.test(count) || Number(count) > MOST_ADDED)
      throw refuse(`${JSON.stringify(count)} is not a number of appliances, 1 to ${MOST_ADDED}`)
    return { type: 'add', site, class: className, count: Number(count) }
  }
  if (verb !== 'remove' && verb !== 'class') throw refuse()
  const [where = '', className, ...more] = rest.split(':')
  const [site = '', appliance = '', ...deeper] = where.split('/')
  if (!GLOB.test(site) || !GLOB.test(appliance) || deeper.length > 0 || more.length > 0) throw refuse()
  if (verb === 'remove') {
    if (className !== undefined) throw refuse()
    return { type: 'remove', site, appliance }
  }
  if (className === undefined || !NAME.test(className)) throw refuse()
  return { type: 'class', site, appliance, class: className }
}

/** Finds out which appliances are meant. Later suppositions go on from what earlier ones left. Throws a usage error where something is not there. */
export function imagine(
  suppositions: readonly Supposition[],
  snapshot: FleetSnapshot,
  namespace: string,
): readonly Imagined[] {
  const imagination = new Imagination(snapshot, namespace)
  for (const supposition of suppositions) imagination.suppose(supposition)
  return imagination.result()
}

type Body = KubeObject & JsonObject

class Imagination {
  readonly #namespace: string
  readonly #sites: ReadonlySet<string>
  readonly #classes: readonly HardwareClass[]
  readonly #before: ReadonlyMap<string, Appliance>
  readonly #after: Map<string, Appliance>

  constructor({ sites, hardwareClasses, appliances }: FleetSnapshot, namespace: string) {
    this.#namespace = namespace
    this.#sites = new Set(sites.filter(({ metadata }) => metadata.namespace === namespace).map(nameOf))
    this.#classes = hardwareClasses
    const own = appliances.filter(({ metadata }) => metadata.namespace === namespace && !metadata.deletionTimestamp)
    this.#before = new Map([...own].sort((a, b) => compare(nameOf(a), nameOf(b))).map((each) => [nameOf(each), each]))
    this.#after = new Map(this.#before)
  }

  suppose(supposition: Supposition): void {
    if (supposition.type === 'add') {
      this.#add(supposition)
      return
    }
    const chosen = this.#chosen(supposition.site, supposition.appliance)
    if (supposition.type === 'remove') {
      for (const each of chosen) this.#after.delete(nameOf(each))
      return
    }
    this.#checkClass(supposition.class)
    for (const each of chosen) {
      const name = nameOf(each)
      const before = this.#before.get(name)
      if (before?.spec.hardwareClassRef.name === supposition.class) this.#after.set(name, before)
      else this.#after.set(name, { ...each, spec: { ...each.spec, hardwareClassRef: { name: supposition.class } } })
    }
  }

  result(): readonly Imagined[] {
    const names = [...new Set([...this.#before.keys(), ...this.#after.keys()])].sort(compare)
    return names.flatMap((name): Imagined[] => {
      const [before, after] = [this.#before.get(name), this.#after.get(name)] as unknown as (Body | undefined)[]
      if (before === after) return []
      if (!after) return [{ action: 'delete', object: before! }]
      return before ? [{ action: 'change', object: after, before }] : [{ action: 'add', object: after }]
    })
  }

  #add({ site, class: className, count }: Extract<Supposition, { type: 'add' }>): void {
    if (!this.#sites.has(site)) throw this.#missing('Site', site, this.#sites)
    this.#checkClass(className)
    const neighbours = [...this.#after.values()].filter(({ spec }) => spec.siteRef.name === site)
    const like = neighbours.find(({ spec }) => spec.hardwareClassRef.name === className) ?? neighbours[0]
    for (let n = 1, made = 0; made < count; n++) {
      const name = `${site}-what-if-${n}`
      if (this.#after.has(name) || this.#before.has(name)) continue
      made++
      this.#after.set(name, {
        apiVersion: 'fleet.weir.dev/v1alpha1',
        kind: 'Appliance',
        metadata: {
          name,
          namespace: this.#namespace,
          // Policies choose appliances by their labels: a new one is taken for one like its neighbours.
          ...(like?.metadata.labels && { labels: like.metadata.labels }),
        },
        spec: { siteRef: { name: site }, hardwareClassRef: { name: className }, mode: 'InService' },
      } as Appliance)
    }
  }

  #chosen(site: string, appliance: string): readonly Appliance[] {
    const [isSite, isAppliance] = [globMatcher(site), globMatcher(appliance)]
    const all = [...this.#after.values()]
    const chosen = all.filter((each) => isSite(each.spec.siteRef.name) && isAppliance(nameOf(each)))
    if (chosen.length > 0) return chosen
    if (!/[*?]/.test(site) && !this.#sites.has(site)) throw this.#missing('Site', site, this.#sites)
    const there = all.filter((each) => isSite(each.spec.siteRef.name)).map(nameOf)
    throw usageError(
      `--what-if: there is no appliance ${appliance} at site ${site} in namespace ${this.#namespace}${didYouMean(appliance, there)}`,
    )
  }

  #checkClass(name: string): void {
    const names = this.#classes.map(nameOf)
    if (!names.includes(name))
      throw usageError(`--what-if: HardwareClass "${name}" not found${didYouMean(name, names)}`)
  }

  #missing(kind: string, name: string, names: Iterable<string>) {
    return usageError(
      `--what-if: ${kind} "${name}" not found in namespace ${this.#namespace}${didYouMean(name, names)}`,
    )
  }
}

const nameOf = ({ metadata }: KubeObject) => metadata.name ?? ''

/** Says what an appliance of a class costs: a number and a currency, `18500 EUR`. */
export const PRICE_ANNOTATION = 'fleet.weir.dev/price'

/** What would have to be bought: appliances that are added, or become of another class. Where some class has no price, why it is not known. */
export function costOf(
  imagined: readonly Imagined[],
  { hardwareClasses }: Pick<FleetSnapshot, 'hardwareClasses'>,
): { readonly cost: readonly Cost[] } | { readonly costUnknown: string } {
  const totals = new Map<string, number>()
  for (const { action, object } of imagined) {
    if (action === 'delete') continue
    const name = (object as unknown as Appliance).spec.hardwareClassRef.name
    const price = hardwareClasses.find((each) => nameOf(each) === name)?.metadata.annotations?.[PRICE_ANNOTATION]
    const [, amount, currency] = /^(\d+(?:\.\d+)?) ([A-Z]{3})$/.exec(price ?? '') ?? []
    if (amount === undefined || currency === undefined)
      return {
        costUnknown: `annotation ${PRICE_ANNOTATION} of HardwareClass ${name} ${price === undefined ? 'is not there' : `is ${JSON.stringify(price)}`}; write it as 18500 EUR`,
      }
    totals.set(currency, (totals.get(currency) ?? 0) + Number(amount))
  }
  const cost = [...totals].map(([currency, amount]) => ({ currency, amount }))
  return { cost: cost.sort((a, b) => compare(a.currency, b.currency)) }
}
