import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type {
  Appliance,
  Assignment,
  Catalog,
  HardwareClass,
  PlacementPlan,
  PlacementPolicy,
  Site,
} from '../../crds/types.gen.ts'
import { apiVersionOf, coreEvents, type Resource } from '../../runtime/client/resource.ts'
import { ApiError } from '../../runtime/errors.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import type { Discovery, ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { AS_JSON } from '../api/request.ts'
import { knowsTypes } from '../api/targets.ts'
import type { EventObject } from '../events/event.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import { namedTargets } from '../get/named.ts'
import { objectsOf, readTargets } from '../get/read.ts'
import type { Io } from '../io.ts'
import { type FileFlags, namesFiles } from '../manifests/named-files.ts'
import { describeAppliance } from './appliance.ts'
import { describeCatalog, describePlan, describePolicy } from './content.ts'
import { describeGeneric } from './generic.ts'
import { Screen } from './screen.ts'
import { describeSite } from './site.ts'

export interface DescribeFlags extends ConnectionFlags, FileFlags {
  readonly selector?: string
  readonly fieldSelector?: string
  readonly allNamespaces?: boolean
  readonly showEvents: boolean
}

type Body = KubeObject & JsonObject

/** `weir describe`: each object on a screen of its own. */
export async function runDescribe(io: Io, words: readonly string[], flags: DescribeFlags): Promise<ExitCode> {
  if (words.length === 0 && !namesFiles(flags)) throw usageError('you must specify the type of resource to describe')
  const connection = await connect(io, flags)
  try {
    const discovery = await discovered(connection, io.interrupted, (kept) => knowsTypes(kept, words))
    const targets = await namedTargets(io, connection, words, flags, true)
    const { answers, errors } = await readTargets(connection, targets, flags, AS_JSON, io.interrupted)
    const objects = answers.flatMap((answer) =>
      objectsOf([answer]).map((object) => ({ object, resource: answer.resource })),
    )
    const describer = new Describer(io, connection, discovery, flags)
    let first = true
    for (const { object, resource } of objects) {
      await io.out(`${first ? '' : '\n\n'}${await describer.describe(object, resource)}`)
      first = false
    }
    if (errors.length > 0) {
      const bug = errors.find((error) => requestFailure(error) === error)
      if (bug) throw bug
      throw new CliError(ExitCode.api, `${[...new Set(errors.map(describeFailure))].join('\n')}\n`, { raw: true })
    }
    if (objects.length === 0)
      io.err(
        flags.allNamespaces ? 'No resources found\n' : `No resources found in ${connection.namespace} namespace.\n`,
      )
    return ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

/** Describes objects, reading what they refer to. */
class Describer {
  readonly #io: Io
  readonly #connection: Connection
  readonly #discovery: Discovery
  readonly #flags: DescribeFlags

  constructor(io: Io, connection: Connection, discovery: Discovery, flags: DescribeFlags) {
    this.#io = io
    this.#connection = connection
    this.#discovery = discovery
    this.#flags = flags
  }

  async describe(object: Body, resource: ServedResource): Promise<string> {
    const [screen, events] = await Promise.all([
      this.#describe(object),
      this.#flags.showEvents ? this.#events(object, resource) : undefined,
    ])
    screen.events(events)
    return screen.toString()
  }

  async #describe(object: Body): Promise<Screen> {
    const screen = new Screen(Date.now())
    const fleet = object.apiVersion.startsWith('fleet.weir.dev/')
    const content = object.apiVersion.startsWith('content.weir.dev/')
    if (fleet && object.kind === 'Appliance') await this.#appliance(screen, object as unknown as Appliance)
    else if (fleet && object.kind === 'Site') await this.#site(screen, object as unknown as Site)
    else if (content && object.kind === 'Catalog') describeCatalog(screen, object as unknown as Catalog)
    else if (content && object.kind === 'PlacementPlan') describePlan(screen, object as unknown as PlacementPlan)
    else if (content && object.kind === 'PlacementPolicy') {
      const policy = object as unknown as PlacementPolicy
      const plan = policy.status?.currentPlan
      const found = plan
        ? await this.#find<PlacementPlan>(object.apiVersion, 'PlacementPlan', object.metadata.namespace, plan)
        : undefined
      describePolicy(screen, policy, found)
    } else describeGeneric(screen, object)
    return screen
  }

  async #appliance(screen: Screen, appliance: Appliance): Promise<void> {
    const { apiVersion, metadata, spec } = appliance
    const [site, hardwareClass, assignment] = await Promise.all([
      this.#find<Site>(apiVersion, 'Site', metadata.namespace, spec.siteRef.name),
      this.#find<HardwareClass>(apiVersion, 'HardwareClass', undefined, spec.hardwareClassRef.name),
      this.#find<Assignment>(apiVersion, 'Assignment', metadata.namespace, metadata.name!),
    ])
    describeAppliance(screen, appliance, { site, hardwareClass, assignment })
  }

  async #site(screen: Screen, site: Site): Promise<void> {
    const resource = resourceOfKind(this.#discovery, site.apiVersion, 'Appliance')
    const options = { namespace: site.metadata.namespace!, signal: this.#io.interrupted }
    const all = resource
      ? (await this.#tolerant(this.#connection.client.list(resource as Resource<Appliance>, options)))?.items
      : undefined
    describeSite(
      screen,
      site,
      (all ?? []).filter(({ spec }) => spec.siteRef.name === site.metadata.name),
    )
  }

  async #find<T extends KubeObject>(
    apiVersion: string,
    kind: T['kind'],
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    const resource = resourceOfKind(this.#discovery, apiVersion, kind)
    if (!resource) return undefined
    const key = { name, ...(namespace === undefined ? {} : { namespace }) }
    return this.#tolerant(this.#connection.client.find(resource as Resource<T>, key, { signal: this.#io.interrupted }))
  }

  async #events({ metadata, kind }: Body, resource: ServedResource): Promise<readonly EventObject[] | undefined> {
    const fieldSelector = `involvedObject.kind=${kind},involvedObject.apiVersion=${apiVersionOf(resource)},involvedObject.name=${metadata.name}`
    const options = { fieldSelector, signal: this.#io.interrupted, namespace: metadata.namespace ?? 'default' }
    const page = await this.#tolerant(
      this.#connection.client.list(coreEvents as unknown as Resource<EventObject>, options),
    )
    return page?.items.filter(
      ({ involvedObject }) => !metadata.uid || !('uid' in involvedObject) || involvedObject.uid === metadata.uid,
    )
  }

  /** What may not be read is left out: a description says what it can. */
  async #tolerant<T>(reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading
    } catch (error) {
      if (error instanceof ApiError) return undefined
      throw error
    }
  }
}
