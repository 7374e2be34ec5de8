import type { BrakeOptions } from '../reconcilers/brake/brake.ts'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { Client } from '../runtime/client/client.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { ControllerObserver } from '../runtime/controller/controller.ts'
import { Manager, type ManagerStatus } from '../runtime/controller/manager.ts'
import { isNotFound } from '../runtime/errors.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import type { Tracing } from '../runtime/tracing/tracing.ts'
import { applianceController } from './appliance/appliance.ts'
import { type AssignmentOptions, assignmentController } from './assignment.ts'
import { BrakeView } from './brake-view.ts'
import { createCaches } from './caches.ts'
import { catalogController } from './catalog/catalog.ts'
import { installCatalogProtection } from './catalog/protection.ts'
import type { SourceLimits } from './catalog/read-source.ts'
import { blobCollector, type CollectOptions } from './collect-blobs.ts'
import { credentialsController } from './credentials.ts'
import { EventRecorder } from './events.ts'
import type { FleetView } from './metrics.ts'
import { BlobReader } from './placement/blob-reader.ts'
import { type PlacementOptions, placementController } from './placement/placement.ts'
import { Solving } from './placement/solving.ts'
import { type SiteOptions, siteController } from './site.ts'
import { WriteOrder } from './write-order.ts'

export interface ControllersOptions {
  readonly client: Client
  /** Shared with the gateway: what is stored here is what appliances fetch. */
  readonly blobs: BlobStore
  readonly clock?: Clock
  readonly log?: Log
  readonly observer?: ControllerObserver
  readonly tracing?: Tracing
  /**
   * Resolves when this process may act, because it leads. Until then everything is read and nothing decided, so that a takeover is quick. At once
   * unless told.
   */
  readonly lead?: Promise<unknown>
  /** Throws where it may not act any more: asked before every write. */
  readonly assertLead?: () => void
  /** Everything is looked at again this often. 10 minutes unless told. */
  readonly resyncMs?: number
  readonly catalog?: {
    /** Folders below which `file:` sources may lie. None unless told: whoever may write a Catalog could read them. */
    readonly fileRoots?: readonly string[]
    readonly limits?: Partial<SourceLimits>
  }
  readonly placement?: PlacementOptions
  readonly assignment?: AssignmentOptions
  readonly site?: SiteOptions
  readonly collect?: CollectOptions
  /** When so much of the fleet is dark that nothing may be moved. */
  readonly brake?: BrakeOptions
  /** Whether to have the API server protect Catalogs in use; where the chart has installed that, controllers may not. True unless told. */
  readonly installProtection?: boolean
}

/** All controllers, running. */
export interface Controllers {
  /** Of every cache and controller, for health and metrics. */
  readonly status: ManagerStatus
  /** What is known of the fleet. */
  readonly fleet: FleetView
  /** Resolves once every controller works on what there is. Rejects when closed before. */
  readonly started: Promise<void>
  /** Looks at everything again, now. */
  resync(): void
  /** Ends what is under way and sends the last events. */
  close(): Promise<void>
}

/**
 * Starts every controller against one API server. Returns at once: until the API can be read, `status` says why, and nothing is decided on
 * half of what there is. The CustomResourceDefinitions must be installed, or be on their way.
 */
export function startControllers(options: ControllersOptions): Controllers {
  const { client, blobs, clock = systemClock, log = silentLog, observer, resyncMs, assertLead, tracing } = options
  const manager = new Manager({ client, clock, log, ...(resyncMs === undefined ? {} : { resyncMs }) })
  const caches = createCaches(manager)
  const events = new EventRecorder({ client, clock, log })
  const reader = new BlobReader(blobs)
  const solving = new Solving()
  const brake = new BrakeView(caches.appliances, options.brake)
  const deps = {
    client,
    blobs,
    clock,
    log,
    events,
    brake,
    order: new WriteOrder(),
    ...(observer ? { observer } : {}),
    ...(assertLead ? { assertLead } : {}),
    ...(tracing ? { tracing } : {}),
  }
  const { fileRoots = [], limits } = options.catalog ?? {}
  manager.add(
    catalogController(deps, caches, { fileRoots, ...(limits ? { limits } : {}) }),
    placementController(deps, caches, reader, { ...options.placement, solving }),
    assignmentController(deps, caches, reader, options.assignment),
    applianceController(deps, caches),
    siteController(deps, caches, options.site),
    credentialsController(deps, caches),
    blobCollector(deps, caches, reader, options.collect),
  )
  // What the brake has held back, or what must say that it is held back.
  brake.onTurn(() => manager.resync())
  const started = manager
    .start(undefined, options.lead)
    .then(() => (options.installProtection === false ? undefined : protect(client, log)))
  // Whoever does not wait for it must not be brought down by an early close.
  started.catch(() => {})
  let closing: Promise<void> | undefined
  return {
    started,
    fleet: { caches, brake, solving },
    get status() {
      return manager.status
    },
    resync: () => manager.resync(),
    close() {
      closing ??= manager.close().then(() => events.close())
      return closing
    },
  }
}

/** On a cluster where the controllers may not, whoever installed them has; without it the finalizer still holds a Catalog in use. */
async function protect(client: Client, log: Log): Promise<void> {
  try {
    await installCatalogProtection(client)
  } catch (error) {
    const fields = { error: (error as Error).message }
    if (isNotFound(error))
      log.info(fields, 'this API server has no admission policies: only finalizers keep Catalogs in use')
    else log.warn(fields, 'cannot have the API server refuse the deletion of Catalogs in use')
  }
}
