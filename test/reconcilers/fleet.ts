import { createHash } from 'node:crypto'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, Catalog, HardwareClass, PlacementPolicy, Site } from '../../crds/types.gen.ts'
import type { Plan } from '../../reconcilers/plan.ts'

/** Small objects for reconciler tests, complete where the schema's defaults would make them so. */
export const FLEET = 'fleet.weir.dev/v1alpha1'
export const CONTENT = 'content.weir.dev/v1alpha1'
export const NOW = new Date('2030-01-01T12:00:00Z')

export const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const metadata = (name: string, more: Partial<KubeObject['metadata']> = {}) => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  resourceVersion: '7',
  generation: 1,
  ...more,
})

export const site = (
  name: string,
  spec: Partial<Site['spec']> = {},
  more: Partial<KubeObject['metadata']> = {},
): Site => ({
  apiVersion: FLEET,
  kind: 'Site',
  metadata: metadata(name, more),
  spec: {
    country: 'DE',
    metro: 'Frankfurt',
    timeZone: 'UTC',
    tier: 'edge',
    network: { prefixes: [] },
    parents: [],
    fillWindows: [],
    maintenanceWindows: [],
    ...spec,
  },
})

export const hardwareClass = (name: string, storageBytes: number): HardwareClass => ({
  apiVersion: FLEET,
  kind: 'HardwareClass',
  metadata: { ...metadata(name), namespace: undefined },
  spec: { storageBytes, storageMedium: 'flash', throughputGbps: 10 },
})

export const appliance = (
  name: string,
  siteName: string,
  more: {
    spec?: Partial<Appliance['spec']>
    status?: Appliance['status']
    metadata?: Partial<KubeObject['metadata']>
  } = {},
): Appliance => ({
  apiVersion: FLEET,
  kind: 'Appliance',
  metadata: metadata(name, more.metadata),
  spec: { siteRef: { name: siteName }, hardwareClassRef: { name: 'small' }, mode: 'InService', ...more.spec },
  ...(more.status && { status: more.status }),
})

export const catalog = (name: string, more: Partial<Catalog> = {}): Catalog => ({
  apiVersion: CONTENT,
  kind: 'Catalog',
  metadata: metadata(name),
  spec: {
    source: { url: 'http://origin.example/films/catalog.ndjson' },
    refreshInterval: '1h',
    suspend: false,
    maxShrinkPercent: 90,
  },
  ...more,
})

export const policy = (name: string, spec: Partial<PlacementPolicy['spec']> = {}): PlacementPolicy => ({
  apiVersion: CONTENT,
  kind: 'PlacementPolicy',
  metadata: metadata(name),
  spec: {
    catalogRef: { name: 'films' },
    priority: 0,
    appliances: {},
    copies: { perSite: 1 },
    storageShare: 100,
    pins: [],
    exclude: [],
    demand: { source: 'catalog' },
    ...spec,
  },
})

/** The objects that a plan applies, creates or writes the status of, by kind. */
export function written<T = KubeObject>(plan: Plan, op: 'apply' | 'applyStatus' | 'create', kind: string): T[] {
  return plan.writes
    .filter((w) => w.op === op && w.object.kind === kind)
    .map((w) => ('object' in w ? w.object : w) as T)
}

/** `Type=Status Reason` of the conditions that a plan writes. */
export function conditions(plan: Plan, kind: string): string[] {
  const [object] = written<{ status: { conditions: { type: string; status: string; reason: string }[] } }>(
    plan,
    'applyStatus',
    kind,
  )
  return (object?.status.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}`)
}
