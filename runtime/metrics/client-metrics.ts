import type { Metrics, Sample } from './metrics.ts'

/** Counts a client's requests by their answers, under client-go's name. Give `onAnswer` to the clients. */
export class ClientMetrics {
  readonly #counts = new Map<string, { readonly method: string; readonly code: string; count: number }>()

  readonly onAnswer = (method: string, code: string): void => {
    const key = `${method} ${code}`
    const known = this.#counts.get(key)
    if (known) known.count++
    else this.#counts.set(key, { method, code, count: 1 })
  }

  /** `server`: the URL that the clients talk to. */
  register(metrics: Metrics, server: string): void {
    const { host } = new URL(server)
    metrics.counter(
      {
        name: 'rest_client_requests_total',
        help: 'Requests to the API server, by HTTP code; <error> where no answer came.',
        labels: ['code', 'method', 'host'],
      },
      () => this.#samples(host),
    )
  }

  *#samples(host: string): Generator<Sample> {
    for (const { method, code, count } of this.#counts.values()) yield { value: count, labels: { code, method, host } }
  }
}
