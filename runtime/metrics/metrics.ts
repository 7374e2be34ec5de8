import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Buckets } from './buckets.ts'

export type Labels = Readonly<Record<string, string>>

/** One value of a metric, with what tells it from the others. */
export interface Sample {
  readonly value: number
  readonly labels?: Labels
}

/** One histogram of a family. */
export interface HistogramSample {
  readonly buckets: Buckets
  readonly labels?: Labels
}

export interface MetricOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/**
 * What a program tells Prometheus. Every metric is collected when it is asked for, from numbers that the program keeps anyway: nothing is paid
 * for on the way. Names follow client-go and controller-runtime where they have one.
 */
export class Metrics {
  readonly #registry = new Registry()

  /** With `process`, what prom-client tells of this process and of Node. */
  constructor({ process = true }: { readonly process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.#registry })
  }

  gauge(options: MetricOptions, collect: () => Iterable<Sample>): void {
    this.#registry.registerMetric(new CollectedMetric('gauge', options, collect))
  }

  counter(options: MetricOptions, collect: () => Iterable<Sample>): void {
    this.#registry.registerMetric(new CollectedMetric('counter', options, collect))
  }

  histogram(options: MetricOptions, collect: () => Iterable<HistogramSample>): void {
    this.#registry.registerMetric(new CollectedHistogram(options, collect))
  }

  /** Names of all metrics, without the suffixes of histograms. */
  get names(): string[] {
    return this.#registry.getMetricsAsArray().map((metric) => (metric as unknown as { name: string }).name)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

/** As prom-client's registry takes them for its text. */
interface Value {
  readonly metricName?: string
  readonly labels: Record<string, string | number>
  /** Written out once for each object, however often it is told: keep the objects where there are thousands. */
  readonly sharedLabels?: Labels
  readonly value: number
  readonly exemplar: null
}

/** A prom-client metric that is read from samples. Its own `set` costs a hash of the labels: too much for the sites of a large fleet. */
class CollectedMetric extends Gauge {
  readonly #type: 'gauge' | 'counter'
  readonly #options: MetricOptions
  readonly #collect: () => Iterable<Sample>

  constructor(type: 'gauge' | 'counter', options: MetricOptions, collect: () => Iterable<Sample>) {
    super({ name: options.name, help: options.help, labelNames: [...(options.labels ?? [])], registers: [] })
    this.#type = type
    this.#options = options
    this.#collect = collect
  }

  async getForPromString() {
    const { name, help } = this.#options
    return { name, help, type: this.#type, values: valuesOf(this.#collect()), aggregator: 'sum' }
  }
}

const NO_LABELS = {}

function valuesOf(samples: Iterable<Sample>): Value[] {
  const values: Value[] = []
  for (const { value, labels } of samples)
    values.push({ labels: NO_LABELS, sharedLabels: labels ?? NO_LABELS, value, exemplar: null })
  return values
}

/** A prom-client histogram that is read from Buckets. Its own `observe` costs a hash of the labels: too much for every reconcile. */
class CollectedHistogram extends Histogram {
  readonly #options: MetricOptions
  readonly #collect: () => Iterable<HistogramSample>

  constructor(options: MetricOptions, collect: () => Iterable<HistogramSample>) {
    super({ name: options.name, help: options.help, registers: [] })
    this.#options = options
    this.#collect = collect
  }

  /** How prom-client's registry asks when it writes text; `get`, which copies, asks it too. */
  async getForPromString() {
    const { name, help } = this.#options
    const values: Value[] = []
    for (const { buckets, labels = {} } of this.#collect()) {
      const counts = buckets.cumulative()
      const add = (metricName: string, value: number, more: Labels = {}) =>
        values.push({ metricName, labels: { ...labels, ...more }, value, exemplar: null })
      buckets.bounds.forEach((bound, i) => void add(`${name}_bucket`, counts[i]!, { le: String(bound) }))
      add(`${name}_bucket`, counts.at(-1)!, { le: '+Inf' })
      add(`${name}_sum`, buckets.sum)
      add(`${name}_count`, counts.at(-1)!)
    }
    return { name, help, type: 'histogram', values, aggregator: 'sum' }
  }
}
