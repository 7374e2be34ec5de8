import type { ClientNetworks } from '../../crds/types.gen.ts'
import { compare } from '../blobs/plan-index.ts'
import { matchesSelector } from '../labels/selector.ts'
import { globMatcher } from '../placement/glob.ts'
import { hashString } from '../placement/hash.ts'
import type { ClientMatch, CompiledPolicy } from './compiled-policy.ts'
import { compileNetworks, type NetworkClasses } from './networks.ts'
import { BUILT_IN_POLICY, type PolicyInput } from './policy.ts'
import { PURPOSES, TIERS } from './types.ts'
import type { CatalogFiles, World } from './world.ts'

/** Policies in the order in which they are asked. */
export function comparePolicies(a: PolicyInput, b: PolicyInput): number {
  return b.spec.priority - a.spec.priority || compare(keyOfPolicy(a), keyOfPolicy(b))
}

export const keyOfPolicy = ({ metadata }: PolicyInput) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`

/**
 * Compiles `world.policyInputs` against the sites, appliances and catalogs that the world has now. Called by `tick` after either has changed.
 * A network that is no CIDR prefix, which the schema refuses, matches nobody.
 */
export function compilePolicies(world: World): void {
  const inputs = [...world.policyInputs].sort(comparePolicies)
  const all = [...inputs, BUILT_IN_POLICY]
  const networks = compileNetworks(all.flatMap((policy) => networkLists(policy)))
  world.networks = networks
  world.policies = all.map((input) => compileOne(world, input, networks))
  compileClients(world, all, networks)
  if (isContentCompiled(world)) return
  compileContent(world, all)
  contentOf.set(world, { policies: world.policyInputs, catalogs: [...world.catalogs] })
}

/** What `contentClass` and `contentPolicies` were made from: of a million files that takes seconds, and appliances and sites change far more often. */
const contentOf = new WeakMap<World, Pick<World, 'catalogs'> & { readonly policies: readonly PolicyInput[] }>()

function isContentCompiled(world: World): boolean {
  const { policies, catalogs } = contentOf.get(world) ?? {}
  return (
    policies === world.policyInputs &&
    catalogs?.length === world.catalogs.length &&
    catalogs.every((catalog, c) => catalog === world.catalogs[c])
  )
}

function networkLists({ spec }: PolicyInput): (readonly string[])[] {
  return [
    spec.clients,
    ...spec.pins.map(({ clients }) => clients),
    ...spec.drains.map(({ clients }) => clients),
  ].flatMap((clients) => (clients?.networks ? [clients.networks] : []))
}

function compileOne(world: World, input: PolicyInput, networks: NetworkClasses): CompiledPolicy {
  const { spec } = input
  const { locality, load, cost } = spec.weights
  const sum = Math.max(1, locality + load + cost)
  const untilMs = (until: string | undefined) => (until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until))
  const clients = (match: ClientNetworks | undefined) => compileMatch(world, match, networks)
  const canaryShare = ((spec.canary?.sharePercent ?? 100) / 100) * 2 ** 32
  const canarySelector = spec.canary?.selector
  return {
    key: keyOfPolicy(input),
    input,
    tiers: Uint8Array.from(spec.tiers, (tier) => TIERS.indexOf(tier)),
    asksSiblings: spec.tiers.includes('Siblings'),
    limits: Float64Array.from(PURPOSES, (purpose) => spec.overload[`${purpose}Percent`] / 100),
    bound: spec.boundPercent / 100,
    slowStartMs: spec.slowStartSeconds * 1000,
    weights: { locality: locality / sum, load: load / sum, cost: cost / sum },
    costs: compileCosts(world, input),
    canaryShare,
    canarySalt: hashString(keyOfPolicy(input)),
    canaryAppliances: canarySelector
      ? Uint8Array.from(world.appliances, (a) => Number(!!a && matchesSelector(canarySelector, a.metadata.labels)))
      : undefined,
    partial: spec.canary !== undefined && canarySelector === undefined,
    maxUrls: spec.maxUrls,
    ttlSeconds: spec.ttlSeconds,
    fallbacks: spec.fallbacks.map(({ url }) => ({ url })),
    fallbacksFor: PURPOSES.map((purpose) =>
      Uint8Array.from(
        spec.fallbacks.flatMap(({ purposes }, i) => (!purposes || purposes.includes(purpose) ? [i] : [])),
      ),
    ),
    pins: spec.pins.map((pin) => ({
      clients: clients(pin.clients),
      sites: Uint32Array.from(
        world.sites.flatMap((site, i) => (site && matchesSelector(pin.siteSelector, site.metadata.labels) ? [i] : [])),
      ),
      untilMs: untilMs(pin.until),
    })),
    drains: spec.drains.map((drain) => ({
      clients: clients(drain.clients),
      appliances: Uint8Array.from(world.appliances, (appliance, i) => {
        const site = world.sites[world.applianceSite[i]!]
        return Number(
          !!appliance &&
            (!drain.selector || matchesSelector(drain.selector, appliance.metadata.labels)) &&
            (!drain.siteSelector || (!!site && matchesSelector(drain.siteSelector, site.metadata.labels))),
        )
      }),
      untilMs: untilMs(drain.until),
    })),
  }
}

/** The dearest of the costs that a site matches, in parts of the dearest that can be said. */
function compileCosts(world: World, { spec }: PolicyInput): Float32Array | undefined {
  if (spec.costs.length === 0) return undefined
  return Float32Array.from(world.sites, (site) =>
    site
      ? Math.max(
          0,
          ...spec.costs.flatMap((c) => (matchesSelector(c.siteSelector, site.metadata.labels) ? [c.cost / 100] : [])),
        )
      : 0,
  )
}

function compileMatch(world: World, match: ClientNetworks | undefined, networks: NetworkClasses): ClientMatch {
  return {
    networkClasses: match?.networks && networks.classesOf(match.networks),
    regions: match?.regions && Uint8Array.from(world.regions, (region) => Number(match.regions!.includes(region))),
  }
}

function compileClients(world: World, policies: readonly PolicyInput[], networks: NetworkClasses): void {
  const words = Math.ceil(policies.length / 32)
  world.policyWords = words
  world.sitePolicies = new Uint32Array(world.sites.length * words)
  world.unlocatedPolicies = new Uint32Array((world.regions.length + 1) * words)
  world.networkPolicies = new Uint32Array(networks.count * words)
  world.purposePolicies = new Uint32Array(PURPOSES.length * words)
  policies.forEach(({ metadata, spec }, p) => {
    const { siteSelector, namespaceSelector, networks: named, regions, unlocated } = spec.clients
    const put = (into: Uint32Array, at: number) => {
      into[at * words + (p >>> 5)]! |= 1 << (p & 31)
    }
    world.sites.forEach((site, s) => {
      if (!site) return
      const namespace = site.metadata.namespace ?? ''
      const here = namespaceSelector
        ? matchesSelector(namespaceSelector, world.namespaceLabels.get(namespace))
        : namespace === (metadata.namespace ?? '')
      if (!here || (siteSelector && !matchesSelector(siteSelector, site.metadata.labels))) return
      if (regions && !regions.includes(world.regions[world.siteRegion[s]!]!)) return
      put(world.sitePolicies, s)
    })
    if (unlocated) {
      for (let r = -1; r < world.regions.length; r++) {
        if (!regions || (r >= 0 && regions.includes(world.regions[r]!))) put(world.unlocatedPolicies, r + 1)
      }
    }
    const inNetworks = named && networks.classesOf(named)
    for (let c = 0; c < networks.count; c++) if (!inNetworks || inNetworks[c] === 1) put(world.networkPolicies, c)
    PURPOSES.forEach((purpose, i) => {
      if (spec.purposes.includes(purpose)) put(world.purposePolicies, i)
    })
  })
}

/** The most sets of policies that files are told apart by: as many as `Uint16Array` has numbers for. */
const MAX_CLASSES = 65_536

/**
 * Gives every file a content class: the set of policies that choose it. Few sets occur, however many files there are; files of sets beyond the most are
 * governed by policies for all content alone, as no policy may be the end of steering for all others.
 */
function compileContent(world: World, policies: readonly PolicyInput[]): void {
  const words = world.policyWords
  const classes = new Map<string, number>()
  const masks: number[] = []
  const classOf = (chosen: (p: number) => boolean): number => {
    const mask = new Array<number>(words).fill(0)
    for (let p = 0; p < policies.length; p++) if (chosen(p)) mask[p >>> 5]! |= 1 << (p & 31)
    const key = mask.join()
    let found = classes.get(key)
    if (found === undefined) {
      if (classes.size === MAX_CLASSES) return 0
      found = classes.size
      classes.set(key, found)
      for (const word of mask) masks.push(word >>> 0)
    }
    return found
  }
  // Class 0 is what is in no catalog that the world knows: chosen by policies for all content.
  classOf((p) => contentChooser(policies[p]!, undefined) === true)
  world.contentClass = world.catalogs.map((catalog, c) => {
    const catalogKey = world.catalogKeys[c]!
    const chooses = policies.map((policy) => contentChooser(policy, catalogKey))
    if (!catalog || chooses.every((choose) => typeof choose === 'boolean')) return classOf((p) => chooses[p] === true)
    return filesByClass(catalog, chooses, classOf)
  })
  world.contentPolicies = Uint32Array.from(masks)
}

type Chooser = boolean | ((path: string, title: string | undefined) => boolean)

function filesByClass(
  catalog: CatalogFiles,
  chooses: readonly Chooser[],
  classOf: (chosen: (p: number) => boolean) => number,
): Uint16Array {
  const byFile = new Uint16Array(catalog.files)
  for (let i = 0; i < catalog.files; i++) {
    const file = catalog.file(i)
    byFile[i] = classOf((p) => {
      const choose = chooses[p]!
      return typeof choose === 'boolean' ? choose : file !== undefined && choose(file.path, file.title)
    })
  }
  return byFile
}

/** Whether a policy chooses all files of a catalog, none, or which. */
function contentChooser({ metadata, spec: { content } }: PolicyInput, catalogKey: string | undefined): Chooser {
  const { catalogs, paths, titles } = content
  const named = catalogs?.some(
    ({ namespace, name }) => `${namespace ?? metadata.namespace ?? ''}/${name}` === catalogKey,
  )
  if (named === false) return false
  if (!paths && !titles) return true
  const pathMatchers = paths?.map(globMatcher)
  const titleMatchers = titles?.map(globMatcher)
  return (path, title) =>
    (!pathMatchers || pathMatchers.some((matches) => matches(path))) &&
    (!titleMatchers || (title !== undefined && titleMatchers.some((matches) => matches(title))))
}
