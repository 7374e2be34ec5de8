import type { Log } from '../../runtime/log.ts'
import type { Policies } from '../admission/policy/policies.ts'
import type { Api } from '../api.ts'
import { CrdController } from './crd-controller.ts'
import { EventExpiry } from './event-expiry.ts'
import { Feed } from './feed.ts'
import { GarbageCollector } from './garbage-collector.ts'
import { NamespaceController } from './namespace-controller.ts'
import { NamespaceDefaults } from './namespace-defaults.ts'

/** The controllers that make an API server a control plane, all in this process. */
export class Controllers {
  readonly #api: Api
  readonly #crds: CrdController
  readonly #feed: Feed
  readonly #expiry: EventExpiry
  readonly #policies: Policies
  readonly #keyed: readonly (GarbageCollector | NamespaceController | NamespaceDefaults)[]

  constructor(api: Api, policies: Policies, authority: string, log: Log) {
    this.#policies = policies
    this.#api = api
    this.#crds = new CrdController(api, log)
    this.#feed = new Feed(log)
    this.#expiry = new EventExpiry(api, log)
    this.#keyed = [
      new GarbageCollector(api, log),
      new NamespaceController(api, log),
      new NamespaceDefaults(api, authority, log),
    ]
  }

  /** Resolves when every CRD is served. */
  async start(): Promise<void> {
    await this.#crds.start()
    const { items, revision } = this.#api.store.range('/')
    this.#policies.start()
    this.#feed.add(this.#policies.event)
    for (const controller of this.#keyed) {
      controller.start(items)
      this.#feed.add(controller.event)
    }
    this.#feed.start(this.#api.store, revision)
    this.#expiry.start()
  }

  /** Resolves when CRDs written so far are served. */
  get crds(): CrdController {
    return this.#crds
  }

  async close(): Promise<void> {
    this.#crds.stop()
    this.#feed.stop()
    this.#expiry.stop()
    await Promise.all([this.#crds.settled(), ...this.#keyed.map((c) => c.close())])
  }
}
