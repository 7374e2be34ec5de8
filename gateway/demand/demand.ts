import { hourOf, MAX_AGE_HOURS, type RequestCounts } from '../../reconcilers/gateway/request-counts.ts'
import { demandClassOf } from '../../reconcilers/placement/inputs.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Fleet } from '../fleet.ts'
import { badRequest, notFound, unavailable } from '../http/problem.ts'
import { CannotHaveServed, mostInAnHour } from './served-hours.ts'
import { type DemandStore, dayOf } from './store.ts'

/** More than a year, so that a season can be compared with the one before. */
const KEPT_DAYS = 400
/** As long as a batch may come again. */
const KEPT_BATCHES_DAYS = MAX_AGE_HOURS / 24 + 2

export interface DemandOptions {
  /** Undefined: demand is not kept. */
  readonly store: DemandStore | undefined
  readonly fleet: Fleet
  /** What an appliance can serve, in Gbit/s, where that is known. */
  readonly throughputGbpsOf?: (appliance: string) => number | undefined
  readonly clock: Clock
  readonly log: Log
}

/** Takes what agents counted, and puts it down under the site and the class of demand that these viewers are of now. */
export class Demand {
  readonly #options: DemandOptions
  #forgotOn: number | undefined
  #working: Promise<unknown> = Promise.resolve()

  constructor(options: DemandOptions) {
    this.#options = options
  }

  /**
   * Resolves once it is on disk. Throws HttpProblem: 404 where demand is not kept or the site is gone, 400 where it is more than the appliance can have served, 503
   * where the database cannot take it now.
   */
  async add(appliance: string, counts: RequestCounts): Promise<void> {
    const { store, fleet, log, throughputGbpsOf } = this.#options
    if (!store) throw notFound('demand is not kept here')
    const { metadata, spec } = fleet.appliances.get(appliance) ?? {}
    const site = fleet.sites.get(`${metadata?.namespace}/${spec?.siteRef.name}`)
    if (!site) throw notFound(`the site of ${appliance} does not exist`)
    const batch = {
      ...counts,
      appliance,
      site: `${metadata?.namespace}/${spec?.siteRef.name}`,
      demandClass: demandClassOf(site),
    }
    const adding = store.add(batch, mostInAnHour(throughputGbpsOf?.(appliance)))
    this.#working = Promise.allSettled([this.#working, adding])
    try {
      await adding
    } catch (err) {
      if (err instanceof CannotHaveServed) {
        log.warn({ appliance, batch: counts.id, hour: counts.hour }, err.message)
        throw badRequest(err.message)
      }
      log.warn({ err, appliance }, 'what was asked for cannot be kept')
      throw unavailable('the demand database cannot take it now', 60)
    }
    this.#forget(store)
  }

  /** Waits for what is being written, then closes the database. */
  async close(): Promise<void> {
    await this.#working
    await this.#options.store?.close()
  }

  /** Once a day. */
  #forget(store: DemandStore): void {
    const { clock, log } = this.#options
    const today = dayOf(hourOf(clock.now()))
    if (this.#forgotOn === today) return
    this.#forgotOn = today
    const forgetting = store
      .forget(today - KEPT_DAYS, today - KEPT_BATCHES_DAYS)
      .catch((err: unknown) => log.warn({ err }, 'old demand cannot be forgotten'))
    this.#working = Promise.allSettled([this.#working, forgetting])
  }
}
