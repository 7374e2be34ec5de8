/** One thing that must be right. Returns what is wrong, or undefined. */
export interface HealthCheck {
  readonly name: string
  readonly check: () => string | undefined
  /** Which endpoints ask it; all three unless told. */
  readonly of?: readonly HealthEndpoint[]
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz'

export interface HealthAnswer {
  readonly status: number
  readonly body: string
}

/**
 * Answers `/healthz`, `/livez`, `/readyz` and their single checks (`/readyz/etcd`). `?verbose` lists the checks, `?exclude=` leaves some out. Kubernetes'
 * wording, which probes and `kubectl get --raw` users know.
 */
export function health(
  path: string,
  query: URLSearchParams | undefined,
  checks: readonly HealthCheck[],
): HealthAnswer | undefined {
  const [, endpoint = '', ...rest] = path.split('/')
  if (endpoint !== 'healthz' && endpoint !== 'livez' && endpoint !== 'readyz') return undefined
  const of = checks.filter((c) => !c.of || c.of.includes(endpoint))
  const single = rest.join('/')
  if (single !== '') {
    const found = of.find((c) => c.name === single)
    if (!found) return undefined
    const wrong = found.check()
    return wrong ? { status: 500, body: `internal server error: ${wrong}\n` } : { status: 200, body: 'ok' }
  }
  return all(endpoint, query, of)
}

function all(
  endpoint: HealthEndpoint,
  query: URLSearchParams | undefined,
  checks: readonly HealthCheck[],
): HealthAnswer {
  const excluded = new Set(query?.getAll('exclude') ?? [])
  const lines: string[] = []
  const failed: string[] = []
  for (const { name, check } of checks) {
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok`)
      continue
    }
    if (check() === undefined) lines.push(`[+]${name} ok`)
    else {
      failed.push(name)
      lines.push(`[-]${name} failed: reason withheld`)
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((n) => JSON.stringify(n)).join(', ')
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`)
  }
  const list = lines.join('\n')
  if (failed.length > 0) return { status: 500, body: `${list}\n${endpoint} check failed\n` }
  return { status: 200, body: query?.has('verbose') ? `${list}\n${endpoint} check passed\n` : 'ok' }
}
