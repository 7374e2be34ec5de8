import { parentsOf, siteKeyOf } from '../../controllers/gather/objects.ts'
import type { Appliance, Assignment, Site } from '../../crds/types.gen.ts'
import { sayLocalTime } from '../../reconcilers/agent/local-time.ts'
import { fillAllowance } from '../../reconcilers/agent/windows.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { estimate, exact, type Figure, largest, sum, unknown } from '../../reconcilers/effects/figure.ts'
import { FillClock } from '../../reconcilers/effects/fill-time.ts'
import {
  type ApplianceContents,
  type ApplianceEffect,
  applianceEffect,
  belowFloor,
  linkLoads,
  unionOf,
} from '../../reconcilers/effects/site-effects.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { ReconcileError } from '../../runtime/errors.ts'
import type { Contents, Held } from './contents.ts'
import type { ApplianceEffects, Effects, FillWindow, PlannedLink, SiteEffects } from './document.ts'
import type { FleetModel } from './fleet-model.ts'

const BYTES_PER_GIGABIT = 125_000_000

type Content = NonNullable<Assignment['spec']['content']>

export interface EffectsInput {
  /** What is there now: what appliances hold. */
  readonly live: FleetModel
  /** Where the fleet goes without the change, and with it. */
  readonly before: FleetModel
  readonly after: FleetModel
  /** Appliances whose content cannot be known, by key, and why. */
  readonly unknown: ReadonlyMap<string, string>
  readonly contents: Contents
  readonly now: Date
}

/** One appliance with all that is known of it. */
interface Member {
  readonly key: string
  /** As it will be, or was. */
  readonly appliance: Appliance
  /** As it is now; undefined where it is new. */
  readonly now: Appliance | undefined
  readonly before: Content | undefined
  readonly after: Content | undefined
  readonly drained: boolean
  readonly isOnline: boolean
  /** Why nothing can be said of what it will hold. */
  readonly why: string | undefined
  readonly isTouched: boolean
}

/** What the change does at every site where it does something, and to the appliances there. */
export async function siteEffects(
  input: EffectsInput,
): Promise<{ readonly sites: SiteEffects[]; readonly appliances: ApplianceEffects[] }> {
  const bySite = Map.groupBy(members(input), ({ appliance }) => siteKeyOf(appliance))
  const clock = new FillClock(input.now)
  const sites: SiteEffects[] = []
  const appliances: ApplianceEffects[] = []
  for (const [key, group] of [...bySite].sort(([a], [b]) => compare(a, b))) {
    if (!group.some(({ isTouched }) => isTouched) && !windowsChanged(input, key)) continue
    input.contents.forget()
    const told = await new SiteView(input, key, group, clock).tell()
    sites.push(told.site)
    appliances.push(...told.appliances)
  }
  return { sites, appliances }
}

/** What the whole change comes to. */
export function totalsOf(sites: readonly SiteEffects[]): Omit<Effects, 'links'> {
  const total = (field: keyof Omit<Effects, 'links'>) => sum(sites.map((site) => site[field]))
  return {
    fillBytes: total('fillBytes'),
    evictBytes: total('evictBytes'),
    pendingBytes: total('pendingBytes'),
    cancelledBytes: total('cancelledBytes'),
    drained: total('drained'),
    restarted: total('restarted'),
    belowFloorFiles: total('belowFloorFiles'),
    belowFloorBytes: total('belowFloorBytes'),
  }
}

function members({ live, before, after, unknown: unknowns }: EffectsInput): Member[] {
  const keys = new Set([before, after].flatMap(({ objects }) => objects.appliances.list().map(keyOf)))
  return [...keys].sort(compare).map((key) => {
    const now = live.objects.appliances.get(key)
    const then = after.objects.appliances.get(key)
    const [old, next] = [before, after].map(({ objects }) => objects.assignments.get(key)?.spec.content)
    const stays = then && !then.metadata.deletionTimestamp
    const served =
      (old?.serve ?? false) && ((old?.entries.length ?? 0) > 0 || (now?.status?.content?.filesHeld ?? 0) > 0)
    const drained = served && (!stays || !next?.serve || next.entries.length === 0)
    const why = unknowns.get(key)
    return {
      key,
      appliance: (then ?? before.objects.appliances.get(key))!,
      now,
      before: old,
      after: stays ? next : undefined,
      drained,
      isOnline: now?.status?.conditions?.some(({ type, status }) => type === 'Online' && status === 'True') ?? false,
      why,
      isTouched: drained || why !== undefined || !stays || !now || !isSame(old, next),
    }
  })
}

/** Whether the same bytes are asked for, to be fetched in the same way. */
function isSame(before: Content | undefined, after: Content | undefined): boolean {
  const told = (content: Content | undefined) =>
    JSON.stringify([
      (content?.entries ?? []).map(({ catalog, catalogDigest, manifestDigest }) => [
        catalog,
        catalogDigest,
        manifestDigest,
      ]),
      content?.serve,
    ])
  return before === after || told(before) === told(after)
}

function windowsChanged({ before, after }: EffectsInput, site: string): boolean {
  const of = ({ objects }: FleetModel) => {
    const spec = objects.sites.get(site)?.spec
    return JSON.stringify([spec?.fillWindows, spec?.timeZone, spec?.network?.uplinkGbps, spec?.parents])
  }
  return of(before) !== of(after)
}

/** A site while its effects are worked out. */
class SiteView {
  readonly #input: EffectsInput
  readonly #key: string
  readonly #members: readonly Member[]
  readonly #clock: FillClock
  readonly #site: Site | undefined

  constructor(input: EffectsInput, key: string, members: readonly Member[], clock: FillClock) {
    this.#input = input
    this.#key = key
    this.#members = members
    this.#clock = clock
    this.#site = input.after.objects.sites.get(key) ?? input.before.objects.sites.get(key)
  }

  async tell(): Promise<{ site: SiteEffects; appliances: ApplianceEffects[] }> {
    const unknownHere = this.#members.find(({ why }) => why !== undefined)?.why
    try {
      const known = await Promise.all(this.#members.map((member) => this.#load(member)))
      return this.#known(known, unknownHere)
    } catch (error) {
      if (!(error instanceof ReconcileError)) throw error
      return this.#unreadable(unknownHere ?? error.message)
    }
  }

  async #load(member: Member): Promise<Loaded> {
    const { contents } = this.#input
    const { now } = member
    const [before, after, held] = await Promise.all([
      contents.asked(member.before),
      contents.asked(member.why === undefined ? member.after : member.before),
      now ? contents.held(now, member.before) : undefined,
    ])
    const all = (sets: ReadonlyMap<string, FileSet>) => unionOf([...sets.values()])
    return {
      member,
      held: held ?? { byCatalog: new Map(), all: new FileSet(), isExact: true },
      before: all(before),
      after: all(after),
      afterByCatalog: after,
    }
  }

  async #known(
    loaded: readonly Loaded[],
    why: string | undefined,
  ): Promise<{ site: SiteEffects; appliances: ApplianceEffects[] }> {
    const { space } = this.#input.contents
    const contents = loaded.map(contentsOf)
    const effects = contents.map((each) => applianceEffect(space, each))
    const appliances = loaded.map((each, i) => tellAppliance(each, effects[i]!, this.#key))
    const of = (field: 'fillBytes' | 'evictBytes' | 'pendingBytes' | 'cancelledBytes') =>
      sum(appliances.map((each) => each[field]))
    const parents = await this.#parents()
    const links: PlannedLink[] = linkLoads(
      space,
      contents,
      effects.map(({ missing }) => missing),
      parents,
    ).map(({ from, site, bytes }) => ({ from, ...(site === undefined ? {} : { site }), bytes: estimate(bytes) }))
    const below = why === undefined ? this.#belowFloor(loaded) : undefined
    const site = {
      ...this.#head(),
      fillBytes: of('fillBytes'),
      evictBytes: of('evictBytes'),
      pendingBytes: of('pendingBytes'),
      cancelledBytes: of('cancelledBytes'),
      belowFloorFiles: below ? estimate(below.files) : unknown(why!),
      belowFloorBytes: below ? estimate(below.bytes) : unknown(why!),
      links: why === undefined ? links : [],
      etaSeconds: this.#eta(loaded, effects, links, why),
    }
    return { site, appliances: appliances.filter((_, i) => this.#members[i]!.isTouched) }
  }

  #unreadable(why: string): { site: SiteEffects; appliances: ApplianceEffects[] } {
    const appliances = this.#members.map((member): ApplianceEffects => {
      const untouched = !member.isTouched
      const figure = untouched ? exact(0) : unknown(why)
      return {
        ...named(member, this.#key),
        fillBytes: untouched || nothingAsked(member.after, member.why) ? exact(0) : figure,
        // Who must give everything up gives up what it says it holds.
        evictBytes: nothingAsked(member.after, member.why)
          ? exact(member.now?.status?.content?.bytesHeld ?? 0)
          : figure,
        pendingBytes: figure,
        cancelledBytes: figure,
        drained: member.drained,
      }
    })
    const of = (field: 'fillBytes' | 'evictBytes' | 'pendingBytes' | 'cancelledBytes') =>
      sum(appliances.map((each) => each[field]))
    const touched = this.#members.some(({ isTouched }) => isTouched)
    const rest = touched ? unknown(why) : exact(0)
    const site = {
      ...this.#head(),
      fillBytes: of('fillBytes'),
      evictBytes: of('evictBytes'),
      pendingBytes: of('pendingBytes'),
      cancelledBytes: of('cancelledBytes'),
      belowFloorFiles: rest,
      belowFloorBytes: rest,
      links: [],
      etaSeconds: rest,
    }
    return { site, appliances: appliances.filter((_, i) => this.#members[i]!.isTouched) }
  }

  #head() {
    const [namespace = '', name = ''] = this.#key.split('/')
    return {
      namespace,
      name,
      appliances: this.#members.length,
      drained: exact(this.#members.filter(({ drained }) => drained).length),
      // Nothing in the API makes an appliance restart.
      restarted: exact(0),
      wave: null,
      window: this.#window(),
    }
  }

  #window(): FillWindow {
    const { timeZone = 'UTC', fillWindows = [] } = this.#site?.spec ?? {}
    if (fillWindows.length === 0) return { timeZone, opensAt: null, maxGbps: null, state: 'always' }
    const caps = fillWindows.map(({ maxGbps }) => maxGbps ?? Number.POSITIVE_INFINITY)
    const most = Math.max(...caps)
    const maxGbps = Number.isFinite(most) ? most : null
    const { open, changesAt } = fillAllowance(fillWindows, timeZone, this.#input.now)
    if (open) return { timeZone, opensAt: null, maxGbps, state: 'open' }
    if (!changesAt) return { timeZone, opensAt: null, maxGbps, state: 'never' }
    return { timeZone, opensAt: sayLocalTime(timeZone, changesAt), maxGbps, state: 'opens' }
  }

  /** What the appliances of the parent sites hold now, in the order of the parents. */
  async #parents() {
    const { live, contents } = this.#input
    const keys = this.#site ? [...new Set(parentsOf(this.#site))].filter((key) => key !== this.#key) : []
    return await Promise.all(
      keys.map(async (site) => {
        const givers = live.objects.appliances.byIndex('site', site).filter(gives)
        const held = await Promise.all(
          givers.map((each) => contents.held(each, live.objects.assignments.get(keyOf(each))?.spec.content)),
        )
        return { site, held: unionOf(held.map(({ all }) => all)) }
      }),
    )
  }

  /** Over all catalogs placed here, each with the highest floor that a policy on it has. */
  #belowFloor(loaded: readonly Loaded[]): { files: number; bytes: number } {
    const { after, contents } = this.#input
    const catalogs = new Set(loaded.flatMap(({ afterByCatalog }) => [...afterByCatalog.keys()]))
    let files = 0
    let bytes = 0
    for (const catalog of catalogs) {
      const policies = after.objects.policies.byIndex('catalog', catalog)
      const floor = Math.max(1, ...policies.map(({ spec }) => spec.copies?.perSite ?? 1))
      const of = (sets: ReadonlyMap<string, FileSet>) => sets.get(catalog) ?? new FileSet()
      const weight = belowFloor(
        contents.space,
        loaded.map((each) => ({
          ...contentsOf(each),
          held: of(each.held.byCatalog),
          after: of(each.afterByCatalog),
        })),
        floor,
      )
      files += weight.files
      bytes += weight.bytes
    }
    return { files, bytes }
  }

  /** Until the slowest of the appliances, and the site's uplink, are through. */
  #eta(
    loaded: readonly Loaded[],
    effects: readonly ApplianceEffect[],
    links: readonly PlannedLink[],
    why: string | undefined,
  ): Figure {
    if (why !== undefined) return unknown(why)
    const { space } = this.#input.contents
    const filling = loaded.flatMap(({ member }, i) => {
      const { bytes } = space.weigh(effects[i]!.missing)
      return bytes > 0 ? [{ member, bytes }] : []
    })
    if (filling.length === 0) return exact(0)
    const offline = filling.find(({ member }) => !member.isOnline)
    if (offline) return unknown(`${offline.member.key} is not online`)
    const each = filling.map(({ member, bytes }) => this.#applianceEta(member, bytes))
    const uplinkGbps = this.#site?.spec.network?.uplinkGbps
    const outside = sum(links.filter(({ from }) => from !== 'peer').map((link) => link.bytes)).value ?? 0
    if (uplinkGbps === undefined || outside === 0) return largest(each)
    const { fillWindows = [], timeZone = 'UTC' } = this.#site?.spec ?? {}
    return largest([...each, this.#seconds(outside, fillWindows, timeZone, uplinkGbps * BYTES_PER_GIGABIT)])
  }

  #applianceEta({ appliance, after, key }: Member, bytes: number): Figure {
    const hardware = this.#input.after.objects.hardwareClasses.get(appliance.spec.hardwareClassRef.name)
    if (!hardware || !after) return unknown(`what ${key} can carry is not known`)
    const { windows, timeZone, maxBytesPerSecond = Number.POSITIVE_INFINITY } = after.fill
    const carries = hardware.spec.throughputGbps * BYTES_PER_GIGABIT
    return this.#seconds(bytes, windows ?? [], timeZone, Math.min(carries, maxBytesPerSecond))
  }

  #seconds(bytes: number, windows: Content['fill']['windows'], timeZone: string, bytesPerSecond: number): Figure {
    const time = this.#clock.fill(bytes, windows, timeZone, bytesPerSecond)
    if (!time) return unknown('nothing says how fast it fills')
    if (!time.startsAt) return unknown(`no fill window of site ${this.#key} opens within two weeks`)
    if (!time.endsAt) return unknown(`site ${this.#key} takes longer than two weeks`)
    return estimate(Math.max(1, Math.ceil((time.endsAt.getTime() - this.#input.now.getTime()) / 1000)))
  }
}

interface Loaded {
  readonly member: Member
  readonly held: Held
  readonly before: FileSet
  readonly after: FileSet
  readonly afterByCatalog: ReadonlyMap<string, FileSet>
}

const gives = ({ status }: Appliance) =>
  (status?.conditions?.some((c) => c.type === 'Online' && c.status === 'True') ?? false) &&
  (status?.content?.inventories.length ?? 0) > 0

function contentsOf({ member, held, before, after }: Loaded): ApplianceContents {
  return {
    key: member.key,
    held: held.all,
    before,
    after,
    gives: member.now !== undefined && gives(member.now),
    serves: member.after?.serve ?? false,
  }
}

function tellAppliance({ member, held }: Loaded, effect: ApplianceEffect, site: string): ApplianceEffects {
  const { why } = member
  const figure = (bytes: number) => {
    if (why !== undefined) return unknown(why)
    return held.isExact || bytes === 0 ? exact(bytes) : estimate(bytes)
  }
  return {
    ...named(member, site),
    fillBytes: figure(effect.fill.bytes),
    evictBytes: figure(effect.evict.bytes),
    pendingBytes: figure(effect.pending.bytes),
    cancelledBytes: figure(effect.cancelled.bytes),
    drained: member.drained,
  }
}

function named({ key }: Member, site: string): Pick<ApplianceEffects, 'namespace' | 'name' | 'site'> {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name, site: site.slice(site.indexOf('/') + 1) }
}

const nothingAsked = (content: Content | undefined, why: string | undefined) =>
  why === undefined && (content?.entries.length ?? 0) === 0
