import type { SteeringPolicy } from '../../crds/types.gen.ts'

/** A SteeringPolicy as the API server gives it, defaults filled in. */
export type PolicyInput = Pick<SteeringPolicy, 'metadata' | 'spec'>

/** What governs clients and content that no SteeringPolicy does: the defaults of the kind, for everybody. */
export const BUILT_IN_POLICY: PolicyInput = {
  metadata: { name: 'built-in' },
  spec: {
    priority: Number.NEGATIVE_INFINITY,
    clients: { namespaceSelector: {}, unlocated: true },
    content: {},
    purposes: ['vod', 'live', 'game'],
    tiers: ['Site', 'Siblings', 'Parents', 'Fallback'],
    weights: { locality: 60, load: 30, cost: 10 },
    costs: [],
    overload: { gamePercent: 75, vodPercent: 85, livePercent: 95 },
    boundPercent: 105,
    slowStartSeconds: 60,
    maxUrls: 4,
    ttlSeconds: 300,
    fallbacks: [],
    pins: [],
    drains: [],
  },
}

/** The URL of a file at a fallback: placeholders filled in, or the path appended where there are none. `path` is not yet escaped. */
export function fallbackUrl(template: string, namespace: string, catalog: string, path: string): string {
  const escaped = path.split('/').map(encodeURIComponent).join('/')
  const whole = template.includes('{path}') ? template : `${template.replace(/\/$/, '')}/{namespace}/{catalog}/{path}`
  const values: Readonly<Record<string, string>> = { namespace, catalog, path: escaped }
  return whole.replace(/\{(namespace|catalog|path)\}/g, (_, name: string) => values[name]!)
}
