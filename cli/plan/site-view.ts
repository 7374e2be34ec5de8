import { parentsOf } from '../../controllers/gather/objects.ts'
import type { Site } from '../../crds/types.gen.ts'
import { sayLocalTime } from '../../reconcilers/agent/local-time.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { estimate, exact, type Figure, largest, sum, unknown } from '../../reconcilers/effects/figure.ts'
import type { FillClock } from '../../reconcilers/effects/fill-time.ts'
import {
  type ApplianceContents,
  type ApplianceEffect,
  applianceEffect,
  belowFloor,
  linkLoads,
  unionOf,
} from '../../reconcilers/effects/site-effects.ts'
import { ReconcileError } from '../../runtime/errors.ts'
import { gives, type Held, nothingHeld } from './contents.ts'
import type { ApplianceEffects, FillWindow, PlannedLink, SiteEffects } from './document.ts'
import { type Content, type EffectsInput, type Member, named } from './members.ts'
import { untold } from './untold.ts'

const BYTES_PER_GIGABIT = 125_000_000

/** A site while its effects are worked out. */
export class SiteView {
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
      return untold(this.#head(), this.#members, this.#key, unknownHere ?? error.message)
    }
  }

  async #load(member: Member): Promise<Loaded> {
    const { contents } = this.#input
    const { now } = member
    const held = now ? await contents.held(now, member.before) : nothingHeld
    // Whoever is out of service keeps what it has.
    const kept = async (content: Content | undefined) =>
      content?.fill.paused ? held.byCatalog : await contents.asked(content)
    const [before, after] = await Promise.all([
      kept(member.before),
      kept(member.why === undefined ? member.after : member.before),
    ])
    const all = (sets: ReadonlyMap<string, FileSet>) => unionOf([...sets.values()])
    return {
      member,
      held,
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
    const links: PlannedLink[] = linkLoads(space, contents, effects, parents).map(({ from, site, bytes }) => ({
      from,
      ...(site === undefined ? {} : { site }),
      bytes: estimate(bytes),
    }))
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
    const { open, changesAt } = this.#clock.allowance(fillWindows, timeZone)
    if (open) return { timeZone, opensAt: null, maxGbps, state: 'open' }
    if (!changesAt) return { timeZone, opensAt: null, maxGbps, state: 'never' }
    return { timeZone, opensAt: sayLocalTime(timeZone, changesAt), maxGbps, state: 'opens' }
  }

  /** What the appliances of the parent sites hold now, in the order of the parents. */
  async #parents() {
    const { live, contents } = this.#input
    const keys = this.#site ? [...new Set(parentsOf(this.#site))].filter((key) => key !== this.#key) : []
    return await Promise.all(keys.map(async (site) => ({ site, held: await contents.heldAt(site, live) })))
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
  const { why, isGuess } = member
  const figure = (bytes: number) => {
    if (why !== undefined) return unknown(why)
    if (isGuess) return estimate(bytes)
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
