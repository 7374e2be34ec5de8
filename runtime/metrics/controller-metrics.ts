import type { ControllerLoad, ControllerObserver, Result } from '../controller/controller.ts'
import { Buckets, exponentialBounds } from './buckets.ts'
import type { HistogramSample, Metrics, Sample } from './metrics.ts'

/** client-go's bounds of queue and work durations, in seconds. */
const QUEUE_BOUNDS = exponentialBounds(1e-8, 10, 12)
/** controller-runtime's bounds of reconcile times, in seconds. */
const RECONCILE_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]
/** controller-runtime's words for how a reconcile ended. */
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const
type ResultName = (typeof RESULTS)[number]

interface Observed {
  readonly results: Record<ResultName, number>
  stalled: number
  readonly queueSeconds: Buckets
  readonly workSeconds: Buckets
  readonly reconcileSeconds: Buckets
}

/** How things are now, by controller. */
type Loads = () => Iterable<ControllerLoad & { readonly name: string }>

/**
 * Counts what controllers do, and tells it under the names of client-go's work queues and controller-runtime's controllers. A reconcile that met
 * another writer is `requeue`, one that waits or looks again later is `requeue_after`, one that only a person can help is `error`, as is a failed one.
 */
export class ControllerMetrics implements ControllerObserver {
  readonly #observed = new Map<string, Observed>()

  reconciled(controller: string, result: Result, workMs: number, queuedMs: number): void {
    const observed = this.#observed.get(controller) ?? this.#create(controller)
    observed.results[nameOf(result)]++
    if (result.type === 'stalled') observed.stalled++
    const seconds = workMs / 1000
    observed.queueSeconds.observe(queuedMs / 1000)
    observed.workSeconds.observe(seconds)
    observed.reconcileSeconds.observe(seconds)
  }

  /** Adds them to what is told. `loads` is asked at every collection. */
  register(metrics: Metrics, loads: Loads): void {
    this.#registerQueue(metrics, loads)
    this.#registerReconciles(metrics, loads)
  }

  #registerQueue(metrics: Metrics, loads: Loads): void {
    const labels = ['name', 'controller']
    const each = (value: (load: ControllerLoad) => number) => () => samples(loads(), value)
    metrics.gauge(
      { name: 'workqueue_depth', help: 'Keys that wait to be taken.', labels },
      each((load) => load.waiting),
    )
    metrics.gauge(
      { name: 'workqueue_delayed', help: 'Keys that wait for their time: back-off, or a look again later.', labels },
      each((load) => load.delayed),
    )
    metrics.counter(
      { name: 'workqueue_adds_total', help: 'Keys that have come to be taken.', labels },
      each((load) => load.adds),
    )
    metrics.counter(
      { name: 'workqueue_retries_total', help: 'Keys added again because their reconcile failed.', labels },
      each((load) => load.retries),
    )
    metrics.gauge(
      { name: 'workqueue_unfinished_work_seconds', help: 'How long the reconciles under way have taken.', labels },
      each((load) => load.unfinishedMs / 1000),
    )
    metrics.gauge(
      {
        name: 'workqueue_longest_running_processor_seconds',
        help: 'How long the longest reconcile under way has taken.',
        labels,
      },
      each((load) => load.longestMs / 1000),
    )
    metrics.histogram(
      { name: 'workqueue_queue_duration_seconds', help: 'How long keys waited to be taken.', labels },
      () => this.#histograms((o) => o.queueSeconds, queueLabels),
    )
    metrics.histogram({ name: 'workqueue_work_duration_seconds', help: 'How long keys were worked on.', labels }, () =>
      this.#histograms((o) => o.workSeconds, queueLabels),
    )
  }

  #registerReconciles(metrics: Metrics, loads: Loads): void {
    const labels = ['controller']
    const each = (value: (load: ControllerLoad) => number) => () => samples(loads(), value, controllerLabel)
    metrics.counter(
      {
        name: 'controller_runtime_reconcile_total',
        help: 'Reconciles, by how they ended.',
        labels: ['controller', 'result'],
      },
      () => this.#results(),
    )
    metrics.counter(
      { name: 'controller_runtime_reconcile_errors_total', help: 'Reconciles that failed.', labels },
      () => this.#counts((o) => o.results.error),
    )
    metrics.counter(
      {
        name: 'controller_runtime_terminal_reconcile_errors_total',
        help: 'Reconciles after which only a person can help.',
        labels,
      },
      () => this.#counts((o) => o.stalled),
    )
    metrics.histogram(
      { name: 'controller_runtime_reconcile_time_seconds', help: 'How long reconciles took.', labels },
      () => this.#histograms((o) => o.reconcileSeconds, controllerLabel),
    )
    metrics.gauge(
      { name: 'controller_runtime_max_concurrent_reconciles', help: 'Reconciles at the same time, at most.', labels },
      each((load) => load.concurrency),
    )
    metrics.gauge(
      { name: 'controller_runtime_active_workers', help: 'Reconciles under way.', labels },
      each((load) => load.running),
    )
  }

  *#results(): Generator<Sample> {
    for (const [controller, { results }] of this.#observed)
      for (const result of RESULTS) yield { value: results[result], labels: { controller, result } }
  }

  *#counts(value: (observed: Observed) => number): Generator<Sample> {
    for (const [controller, observed] of this.#observed) yield { value: value(observed), labels: { controller } }
  }

  *#histograms(
    of: (observed: Observed) => Buckets,
    labels: (controller: string) => Record<string, string>,
  ): Generator<HistogramSample> {
    for (const [controller, observed] of this.#observed) yield { buckets: of(observed), labels: labels(controller) }
  }

  #create(controller: string): Observed {
    const observed: Observed = {
      results: { success: 0, error: 0, requeue: 0, requeue_after: 0 },
      stalled: 0,
      queueSeconds: new Buckets(QUEUE_BOUNDS),
      workSeconds: new Buckets(QUEUE_BOUNDS),
      reconcileSeconds: new Buckets(RECONCILE_BOUNDS),
    }
    this.#observed.set(controller, observed)
    return observed
  }
}

function nameOf(result: Result): ResultName {
  switch (result.type) {
    case 'done':
      return 'success'
    case 'requeue':
    case 'waiting':
      return 'requeue_after'
    case 'stalled':
      return 'error'
    case 'retry':
      return result.reason === 'Conflict' ? 'requeue' : 'error'
  }
}

const queueLabels = (controller: string) => ({ name: controller, controller })
const controllerLabel = (controller: string) => ({ controller })

function* samples(
  loads: ReturnType<Loads>,
  value: (load: ControllerLoad) => number,
  labels: (controller: string) => Record<string, string> = queueLabels,
): Generator<Sample> {
  for (const load of loads) yield { value: value(load), labels: labels(load.name) }
}
