/** Which group is shown first: Kubernetes' own order; groups of custom resources come last, by name. */
const GROUP_PRIORITY: Readonly<Record<string, number>> = {
  'apiregistration.k8s.io': 18_000,
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  'rbac.authorization.k8s.io': 17_000,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'coordination.k8s.io': 16_500,
}
const CUSTOM_PRIORITY = 1000

export function compareGroups(a: string, b: string): number {
  return (GROUP_PRIORITY[b] ?? CUSTOM_PRIORITY) - (GROUP_PRIORITY[a] ?? CUSTOM_PRIORITY) || (a < b ? -1 : a > b ? 1 : 0)
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/
const STABILITY = ['alpha', 'beta', undefined]

/** Best first: stable before beta before alpha, each newest first, then everything else by name. */
export function compareVersions(a: string, b: string): number {
  const x = VERSION.exec(a)
  const y = VERSION.exec(b)
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0
  return (
    STABILITY.indexOf(y[2]) - STABILITY.indexOf(x[2]) ||
    Number(y[1]) - Number(x[1]) ||
    Number(y[3] ?? 0) - Number(x[3] ?? 0)
  )
}
