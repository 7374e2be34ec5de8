import { join } from 'node:path'
import { readCrds } from '../../scripts/generate/crd.ts'
import { exampleObject } from '../../scripts/generate/example.ts'

/** An object that one change to a kind's example makes wrong, and what must be said of it. Checked against kube-apiserver 1.36. */
export interface WrongSample {
  readonly why: string
  readonly kind: string
  /** Path (`spec.windows.0.start`) → value; undefined takes the field away. */
  readonly change: Readonly<Record<string, unknown>>
  readonly causes: readonly { readonly field: string; readonly message: string }[]
}

export const crdFiles = readCrds(join(import.meta.dirname, '../..'))

/** The documented example of a kind: valid, with every field of the spec. */
export function example(kind: string): Record<string, unknown> {
  const file = crdFiles.find(({ crd }) => crd.spec.names.kind === kind)
  if (!file) throw new RangeError(kind)
  return exampleObject(file.crd)
}

/** The example of the sample's kind with its change. */
export function wrongObject({ kind, change }: WrongSample): Record<string, unknown> {
  const object = structuredClone(example(kind))
  for (const [path, value] of Object.entries(change)) set(object, path.split('.'), value)
  return object
}

function set(target: Record<string, unknown>, [step, ...rest]: readonly string[], value: unknown): void {
  if (step === undefined) return
  if (rest.length > 0) {
    target[step] ??= {}
    set(target[step] as Record<string, unknown>, rest, value)
  } else if (value === undefined) delete target[step]
  else target[step] = value
}

const hhmm = 'must be a time of day from 00:00 to 23:59, written HH:MM'

export const wrongSamples: readonly WrongSample[] = [
  {
    why: 'storage of nothing cannot hold content',
    kind: 'HardwareClass',
    change: { 'spec.storageBytes': 0 },
    causes: [{ field: 'spec.storageBytes', message: 'should be greater than or equal to 1' }],
  },
  {
    why: 'a machine that serves nothing',
    kind: 'HardwareClass',
    change: { 'spec.throughputGbps': 0 },
    causes: [{ field: 'spec.throughputGbps', message: 'should be greater than 0' }],
  },
  {
    why: 'a medium that nobody plans for',
    kind: 'HardwareClass',
    change: { 'spec.storageMedium': 'tape' },
    causes: [
      { field: 'spec.storageMedium', message: 'Unsupported value: "tape": supported values: "flash", "hdd", "mixed"' },
    ],
  },
  {
    why: 'bytes are counted whole, as numbers',
    kind: 'HardwareClass',
    change: { 'spec.storageBytes': '100T' },
    causes: [{ field: 'spec.storageBytes', message: 'must be of type integer' }],
  },
  {
    why: 'a country is not a language',
    kind: 'Site',
    change: { 'spec.country': 'de' },
    causes: [{ field: 'spec.country', message: 'must be an ISO 3166-1 alpha-2 code of two capital letters' }],
  },
  {
    why: 'half a place is no place',
    kind: 'Site',
    change: { 'spec.coordinates.longitude': undefined },
    causes: [{ field: 'spec.coordinates.longitude', message: 'Required value' }],
  },
  {
    why: 'the poles are the end of it',
    kind: 'Site',
    change: { 'spec.coordinates.latitude': 90.5 },
    causes: [{ field: 'spec.coordinates.latitude', message: 'should be less than or equal to 90' }],
  },
  {
    why: 'an offset is not a time zone',
    kind: 'Site',
    change: { 'spec.timeZone': '+02:00' },
    causes: [{ field: 'spec.timeZone', message: 'must be an IANA time zone' }],
  },
  {
    why: 'an address is not a prefix',
    kind: 'Site',
    change: { 'spec.network.prefixes': ['192.0.2.1', '10.0.0.0/33'] },
    causes: [
      { field: 'spec.network.prefixes[0]', message: 'must be of type cidr' },
      { field: 'spec.network.prefixes[1]', message: 'must be of type cidr' },
    ],
  },
  {
    why: 'a prefix twice says nothing more',
    kind: 'Site',
    change: { 'spec.network.prefixes': ['192.0.2.0/24', '192.0.2.0/24'] },
    causes: [{ field: 'spec.network.prefixes[1]', message: 'Duplicate value: "192.0.2.0/24"' }],
  },
  {
    why: 'a site that fills from itself never fills',
    kind: 'Site',
    change: { 'spec.parents': [{ name: 'fra1' }] },
    causes: [{ field: 'spec.parents', message: 'a site cannot be its own parent' }],
  },
  {
    why: 'the same parent twice',
    kind: 'Site',
    change: { 'spec.parents': [{ name: 'x' }, { name: 'x', namespace: 'other' }, { name: 'x' }] },
    causes: [{ field: 'spec.parents', message: 'a parent is listed twice' }],
  },
  {
    why: 'hours end at 23:59, and are written with two digits',
    kind: 'Site',
    change: {
      'spec.fillWindows.0.start': '24:00',
      'spec.fillWindows.0.end': '8:00',
      'spec.maintenanceWindows.0.end': '05:60',
    },
    causes: [
      { field: 'spec.fillWindows[0].end', message: hhmm },
      { field: 'spec.fillWindows[0].start', message: hhmm },
      { field: 'spec.maintenanceWindows[0].end', message: hhmm },
    ],
  },
  {
    why: 'a cap of nothing would stop filling without saying so',
    kind: 'Site',
    change: { 'spec.fillWindows.0.maxGbps': 0 },
    causes: [{ field: 'spec.fillWindows[0].maxGbps', message: 'should be greater than 0' }],
  },
  {
    why: 'days are named in three letters',
    kind: 'Site',
    change: { 'spec.fillWindows.0.days': ['Monday'] },
    causes: [{ field: 'spec.fillWindows[0].days[0]', message: 'Unsupported value: "Monday"' }],
  },
  {
    why: 'no days at all is not every day',
    kind: 'Site',
    change: { 'spec.fillWindows.0.days': [] },
    causes: [{ field: 'spec.fillWindows[0].days', message: 'should have at least 1 items' }],
  },
  {
    why: 'names and labels of other objects are made from it',
    kind: 'Appliance',
    change: { 'metadata.name': `a${'b'.repeat(63)}` },
    causes: [{ field: '', message: 'the name of an appliance has at most 63 characters' }],
  },
  {
    why: 'a machine stands somewhere',
    kind: 'Appliance',
    change: { 'spec.siteRef': undefined },
    causes: [{ field: 'spec.siteRef', message: 'Required value' }],
  },
  {
    why: 'a mode that nobody acts on',
    kind: 'Appliance',
    change: { 'spec.mode': 'Paused' },
    causes: [{ field: 'spec.mode', message: 'Unsupported value: "Paused"' }],
  },
  {
    why: 'a manifest is named by its digest',
    kind: 'Assignment',
    change: { 'spec.content.entries.0.manifestDigest': 'sha256:abc' },
    causes: [{ field: 'spec.content.entries[0].manifestDigest', message: "should match '^sha256:[0-9a-f]{64}$'" }],
  },
  {
    why: 'one catalog, one entry',
    kind: 'Assignment',
    change: {
      'spec.content.entries.1': (example('Assignment') as { spec: { content: { entries: unknown[] } } }).spec.content
        .entries[0],
    },
    causes: [{ field: 'spec.content.entries', message: 'a catalog is listed twice' }],
  },
  {
    why: 'a catalog is read over http, https or from a file',
    kind: 'Catalog',
    change: { 'spec.source.url': 's3://bucket/catalog.ndjson' },
    causes: [{ field: 'spec.source.url', message: 'must be an http:// or https:// URL with a path' }],
  },
  {
    why: 'a file is named by its absolute path',
    kind: 'Catalog',
    change: { 'spec.source.url': 'file://catalog.ndjson' },
    causes: [{ field: 'spec.source.url', message: 'a file:/// URL with an absolute path' }],
  },
  {
    why: 'paths are appended to it, so it cannot have a query',
    kind: 'Catalog',
    change: { 'spec.originUrl': 'http://origin.example/films/?v=1' },
    causes: [{ field: 'spec.originUrl', message: 'without a query' }],
  },
  {
    why: 'durations have units',
    kind: 'Catalog',
    change: { 'spec.refreshInterval': '60' },
    causes: [{ field: 'spec.refreshInterval', message: 'must be a duration of at least 1s' }],
  },
  {
    why: 'a source is not asked more than once a second',
    kind: 'Catalog',
    change: { 'spec.refreshInterval': '10ms' },
    causes: [{ field: 'spec.refreshInterval', message: 'must be a duration of at least 1s' }],
  },
  {
    why: 'no copies is not placement',
    kind: 'PlacementPolicy',
    change: { 'spec.copies.perSite': 0 },
    causes: [{ field: 'spec.copies.perSite', message: 'should be greater than or equal to 1' }],
  },
  {
    why: 'more than all of the storage',
    kind: 'PlacementPolicy',
    change: { 'spec.storageShare': 101 },
    causes: [{ field: 'spec.storageShare', message: 'should be less than or equal to 100' }],
  },
  {
    why: 'copies are a number or all',
    kind: 'PlacementPolicy',
    change: {
      'spec.pins': [
        { paths: ['a'], copies: 'some' },
        { paths: ['a'], copies: 0 },
      ],
    },
    causes: [
      { field: 'spec.pins[0].copies', message: 'must be a number from 1 to 1024, or all' },
      { field: 'spec.pins[1].copies', message: 'must be a number from 1 to 1024, or all' },
    ],
  },
  {
    why: 'paths in a catalog have no slash in front',
    kind: 'PlacementPolicy',
    change: { 'spec.exclude.0.paths': ['/tmp/**'] },
    causes: [{ field: 'spec.exclude[0].paths[0]', message: "must be relative to the catalog's root" }],
  },
  {
    why: 'In without values matches nothing, surely by mistake',
    kind: 'PlacementPolicy',
    change: { 'spec.appliances.selector': { matchExpressions: [{ key: 'tier', operator: 'In' }] } },
    causes: [{ field: 'spec.appliances.selector.matchExpressions[0]', message: 'In and NotIn need values' }],
  },
  {
    why: 'a demand source that does not exist',
    kind: 'PlacementPolicy',
    change: { 'spec.demand.source': 'telemetry' },
    causes: [{ field: 'spec.demand.source', message: 'Unsupported value: "telemetry"' }],
  },
  {
    why: 'a plan belongs to one policy, for good',
    kind: 'PlacementPlan',
    change: { 'spec.policyRef.uid': undefined },
    causes: [{ field: 'spec.policyRef.uid', message: 'Required value' }],
  },
  {
    why: 'a site twice in one plan',
    kind: 'PlacementPlan',
    change: {
      'spec.sites.1': { namespace: 'default', name: 'fra1', appliances: 0, files: 0, bytes: 0, fillBytes: 0 },
    },
    causes: [{ field: 'spec.sites[1]', message: 'Duplicate value' }],
  },
  {
    why: 'fallbacks that no answer would ever name',
    kind: 'SteeringPolicy',
    change: { 'spec.tiers': ['Site', 'Parents'] },
    causes: [{ field: 'spec.tiers', message: 'there are fallbacks, but Fallback is not among the tiers' }],
  },
  {
    why: 'a tier is looked through once',
    kind: 'SteeringPolicy',
    change: { 'spec.tiers': ['Site', 'Fallback', 'Site'] },
    causes: [{ field: 'spec.tiers', message: 'a tier is listed twice' }],
  },
  {
    why: 'nothing counts, so nothing can be chosen by',
    kind: 'SteeringPolicy',
    change: { 'spec.weights': { locality: 0, load: 0, cost: 0 } },
    causes: [{ field: 'spec.weights', message: 'one of them must be more than 0' }],
  },
  {
    why: 'a drain of nothing in particular would drain everything',
    kind: 'SteeringPolicy',
    change: { 'spec.drains': [{ reason: 'night' }] },
    causes: [{ field: 'spec.drains[0]', message: 'must have a siteSelector or a selector' }],
  },
  {
    why: 'a pin without clients would pin everybody',
    kind: 'SteeringPolicy',
    change: { 'spec.pins': [{ clients: {}, siteSelector: {} }] },
    causes: [{ field: 'spec.pins[0].clients', message: 'should have at least 1 properties' }],
  },
  {
    why: 'the path is appended, so a fallback cannot have a query',
    kind: 'SteeringPolicy',
    change: { 'spec.fallbacks': [{ url: 'https://cloud.example/?f=' }, { url: 'ftp://cloud.example' }] },
    causes: [
      { field: 'spec.fallbacks[0].url', message: 'without query and fragment' },
      { field: 'spec.fallbacks[1].url', message: 'must be an http:// or https:// URL' },
    ],
  },
  {
    why: 'an address is not a network, and an end is a moment',
    kind: 'SteeringPolicy',
    change: { 'spec.pins.0.clients.networks': ['192.0.2.1'], 'spec.pins.0.until': 'tomorrow' },
    causes: [
      { field: 'spec.pins[0].clients.networks[0]', message: 'must be of type cidr' },
      { field: 'spec.pins[0].until', message: 'must be of type date-time' },
    ],
  },
  {
    why: 'more than everybody',
    kind: 'SteeringPolicy',
    change: { 'spec.canary.sharePercent': 101, 'spec.maxUrls': 17, 'spec.purposes': ['radio'] },
    causes: [
      { field: 'spec.canary.sharePercent', message: 'should be less than or equal to 100' },
      { field: 'spec.maxUrls', message: 'should be less than or equal to 16' },
      { field: 'spec.purposes[0]', message: 'Unsupported value: "radio"' },
    ],
  },
]
