import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { EventRecorder } from '../../controllers/events.ts'
import { startControllers } from '../../controllers/main.ts'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { openDemandStore } from '../../gateway/demand/open.ts'
import { startGateway } from '../../gateway/gateway.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { HEARTBEAT_LABEL, HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { coreEvents, leases, namespaces, type Resource, secrets } from '../../runtime/client/resource.ts'
import { systemClock } from '../../runtime/clock.ts'
import { isAlreadyExists, isNotFound } from '../../runtime/errors.ts'
import { LeaderElection } from '../../runtime/leader-election/leader-election.ts'
import { silentLog } from '../../runtime/log.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from '../controllers/control-plane.ts'
import { ask, inventory, report, type TestAppliance } from '../gateway/harness.ts'
import { ApiProxy, type SeenRequest } from '../kube/api-proxy.ts'
import { helm, installRights, type PolicyRule, type Rendered, render, required, serviceAccount } from './helm.ts'

/** With everything that takes rights of its own. */
const values = { gateway: { ...required.gateway, demand: { postgres: { secretName: 'demand' } } } }

/** The release's own, so that leader election and heartbeats are told apart. */
const RELEASE_NAMESPACE = 'weir-rbac-test'
const LEASE = 'weir-controller'

/** One verb on one resource: `patch fleet.weir.dev/sites/status *`; the last word is where: a namespace, or `*` for everywhere. */
type Right = string

let plane: ControlPlane
let rendered: Rendered[]
const seen: { controller: readonly SeenRequest[]; gateway: readonly SeenRequest[] } = { controller: [], gateway: [] }
/** The version of the Assignment whose owner was taken off: who writes on it changes its owner. */
let disowned: string | undefined
const whenHelm = helm ? describe : describe.skip

whenHelm('the rights of each component, used over the whole life of a fleet', () => {
  beforeAll(async () => {
    plane = await startControlPlane()
    rendered = await render(values, RELEASE_NAMESPACE)
    for (const name of [RELEASE_NAMESPACE, HEARTBEAT_NAMESPACE]) await ensureNamespace(name)
    await installRights(plane.client, rendered)
    const ns = await freshNamespace(plane.client, 'rbac')
    const controller = await proxyAs('controller')
    const gateway = await proxyAs('gateway')
    try {
      await live(ns, await clientOf(controller), await clientOf(gateway))
    } finally {
      await controller[Symbol.asyncDispose]()
      await gateway[Symbol.asyncDispose]()
    }
    // Other tests on the same server may have left fleets behind.
    const ours = new Set(['', ns, RELEASE_NAMESPACE, HEARTBEAT_NAMESPACE])
    seen.controller = controller.seen.filter(({ namespace }) => ours.has(namespace))
    seen.gateway = gateway.seen.filter(({ namespace }) => ours.has(namespace))
  }, 120_000)
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]()
  })

  describe.each(['controller', 'gateway'] as const)('%s', (component) => {
    test('none is missing: no request was forbidden', () => {
      expect(seen[component].length).toBeGreaterThan(10)
      const refused = seen[component].filter(({ status }) => status === 403)
      expect([...new Set(refused.map((request) => rightsUsedBy(request).join()))]).toEqual([])
    })

    test('none is too many: each was used', () => {
      const used = new Set(seen[component].filter(({ status }) => status < 400).flatMap(rightsUsedBy))
      const unused = grantsOf(component).filter(({ matches }) => ![...used].some(matches))
      expect(unused.map(({ text }) => text)).toEqual([])
    })

    test('everything that was used was granted', () => {
      const used = new Set(seen[component].filter(({ status }) => status > 0 && status < 400).flatMap(rightsUsedBy))
      const grants = grantsOf(component)
      expect([...used].filter((right) => !grants.some(({ matches }) => matches(right)))).toEqual([])
    })
  })
})

async function ensureNamespace(name: string): Promise<void> {
  try {
    await plane.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

function proxyAs(component: string): Promise<ApiProxy> {
  return ApiProxy.start({
    kubeconfigPath: plane.kubeconfigPath,
    impersonate: serviceAccount(RELEASE_NAMESPACE, `weir-${component}`),
  })
}

async function clientOf(proxy: ApiProxy): Promise<Client> {
  const path = proxy.writeKubeconfig(join(plane.dir, `kubeconfig-${randomUUID()}`))
  return new Client({ access: await loadKubeconfig({ path }), userAgent: 'weir' })
}

/** What the API server asks its authorizer about a request. */
function rightsUsedBy({ verb, group, resource, namespace, name, status, body }: SeenRequest): Right[] {
  const right = (what: string, of: string, which = '') => `${what} ${group}/${of} ${namespace || '*'} ${which}`
  const rights = [right(verb, resource, name)]
  // An apply that finds no object makes one, and must be allowed to.
  if (verb === 'patch' && status === 201) rights.push(right('create', resource))
  // Admission OwnerReferencesPermissionEnforcement, which OpenShift runs by default.
  const { ownerReferences: owners = [], resourceVersion } = (body as KubeObject | undefined)?.metadata ?? {}
  if (resourceVersion !== undefined && resourceVersion === disowned && status < 400)
    rights.push(right('delete', resource))
  for (const { kind, blockOwnerDeletion } of owners) {
    if (blockOwnerDeletion && status < 400) rights.push(right('update', `${PLURALS[kind]}/finalizers`))
  }
  return rights
}
const PLURALS: Readonly<Record<string, string>> = {
  PlacementPolicy: placementPolicies.plural,
  Appliance: appliances.plural,
}

interface Grant {
  readonly text: Right
  readonly matches: (right: Right) => boolean
}

/** Each verb on each resource that the chart gives to a component. */
function grantsOf(component: string): Grant[] {
  const account = `weir-${component}`
  const bindings = rendered.filter(
    ({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding',
  ) as unknown as {
    readonly metadata: KubeObject['metadata']
    readonly roleRef: { readonly kind: string; readonly name: string }
    readonly subjects: readonly { readonly name: string }[]
  }[]
  return bindings
    .filter(({ subjects }) => subjects.some(({ name }) => name === account))
    .flatMap(({ metadata, roleRef }) => {
      const role = rendered.find(
        (one) =>
          one.kind === roleRef.kind &&
          one.metadata.name === roleRef.name &&
          one.metadata.namespace === metadata.namespace,
      )
      return (role?.rules ?? []).flatMap((rule) => grantsOfRule(rule, metadata.namespace ?? '*'))
    })
}

function grantsOfRule({ apiGroups, resources, resourceNames, verbs }: PolicyRule, where: string): Grant[] {
  return verbs.flatMap((verb) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        (resourceNames ?? ['']).map((name) => ({
          text: `${verb} ${group}/${resource} ${where} ${name}`,
          matches: (right: Right) => {
            const [ofVerb, of, namespace, which] = right.split(' ')
            const there = where === '*' || where === namespace
            return ofVerb === verb && of === `${group}/${resource}` && there && (name === '' || name === which)
          },
        })),
      ),
    ),
  )
}

/** Brings a fleet up, lets it work, and takes it away, with controllers and a gateway that ask through these clients. */
async function live(ns: string, controllerClient: Client, gatewayClient: Client): Promise<void> {
  const stop = new AbortController()
  const leader = new LeaderElection({
    client: controllerClient,
    clock: systemClock,
    log: silentLog,
    namespace: RELEASE_NAMESPACE,
    name: LEASE,
    identity: randomUUID(),
    retryMs: 200,
  })
  const led = Promise.withResolvers<void>()
  const leading = leader.run(stop.signal, async ({ signal }) => {
    led.resolve()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  await led.promise
  await staleLease()
  const controllers = startControllers({
    client: controllerClient,
    blobs: plane.blobs,
    catalog: { fileRoots: [plane.dir] },
    placement: { fleetDelayMs: 20, progressDelayMs: 20 },
    site: { progressDelayMs: 20 },
    assignment: { drainSeconds: 0 },
    brake: { maxDarkShare: 1, minDark: 1 },
    installProtection: false,
  })
  const pki = await ensureCertificates({ folder: join(plane.dir, 'pki-rbac'), now: new Date() })
  const demandAt = join(plane.dir, 'rbac-demand.db')
  const gateway = await startGateway({
    client: gatewayClient,
    blobStore: plane.blobs,
    listen: { host: '127.0.0.1', port: 0 },
    tls: { cert: pki.server.certificate, key: pki.server.key },
    id: `rbac-${randomUUID().slice(0, 8)}`,
    demandStore: await openDemandStore(demandAt),
    demandAt,
  })
  try {
    await controllers.started
    await gateway.ready
    await bringUp(ns)
    await serve(ns, gateway.url, pki.authority)
    await takeDown(ns)
    await tellEvents(ns, controllerClient)
    await eventually(
      async () => (await find(leases, HEARTBEAT_NAMESPACE, STALE_LEASE)) === undefined,
      'the gateway removes what a gateway that is gone has left',
    )
  } finally {
    stop.abort(new Error('done'))
    await leading.catch(() => {})
    await gateway.close()
    await controllers.close()
    controllerClient.close()
    gatewayClient.close()
  }
}

const STALE_LEASE = 'weir-heartbeats-long-gone-0'
/** Of a gateway that went an hour ago. */
async function staleLease(): Promise<void> {
  const renewTime = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, -1)}000Z`
  await plane.client.apply(
    leases,
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: STALE_LEASE, namespace: HEARTBEAT_NAMESPACE, labels: { [HEARTBEAT_LABEL]: 'true' } },
      spec: { holderIdentity: 'long-gone', leaseDurationSeconds: 30, renewTime },
    },
    { fieldManager: 'test', force: true },
  )
}

async function find<T extends KubeObject>(
  resource: Resource<T>,
  namespace: string,
  name: string,
): Promise<T | undefined> {
  return await plane.client.find(resource, { namespace, name })
}

async function bringUp(ns: string): Promise<void> {
  await make(hardwareClasses, '', 'small', { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 })
  await make(sites, ns, 'fra', { country: 'DE', metro: 'fra' })
  await make(appliances, ns, 'box', { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } })
  await make(catalogs, ns, 'films', { source: { url: source(ns, 3) } })
  await make(placementPolicies, ns, 'all', { catalogRef: { name: 'films' }, demand: { source: 'observed' } })
  await filesAssigned(ns, 3)
  await disown(ns)
  // Plans follow one another; the older ones go.
  for (const files of [4, 5, 6, 7]) {
    await make(catalogs, ns, 'films', { source: { url: source(ns, files) }, refreshInterval: `${files}h` })
    await filesAssigned(ns, files)
  }
  await eventually(async () => {
    const { digest, counted } = (await find(catalogs, ns, 'films'))?.status ?? {}
    return counted !== undefined && counted.catalogDigest === digest
  }, 'demand is published for the newest catalog')
}

const made = () => plane.client
async function make<T extends KubeObject>(
  resource: Resource<T>,
  ns: string,
  name: string,
  spec: object,
): Promise<void> {
  const object = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, ...(ns === '' ? {} : { namespace: ns }) },
    spec,
  }
  await made().apply(resource, object as unknown as T, { fieldManager: 'test', force: true })
}

function source(ns: string, files: number): string {
  const path = join(plane.dir, `${ns}-${files}.ndjson`)
  const line = (i: number) => JSON.stringify({ path: `f/${i}`, size: 100, sha256: `${i}`.repeat(64).slice(0, 64) })
  writeFileSync(path, Array.from({ length: files }, (_, i) => line(i)).join('\n'))
  return `file://${path}`
}

/** Takes the owner off the appliance's Assignment, as a deletion that orphans does; the controller puts it back. */
async function disown(ns: string): Promise<void> {
  const key = { namespace: ns, name: 'box' }
  const merge = { metadata: { ownerReferences: null } }
  const { metadata } = await plane.client.patch(assignments, key, { type: 'merge', merge }, { fieldManager: 'test' })
  expect(metadata.ownerReferences).toBeUndefined()
  disowned = metadata.resourceVersion
  // Looks at it, where it does not by itself.
  await make(sites, ns, 'fra', { country: 'DE', metro: 'fra', timeZone: 'Europe/Berlin' })
  await eventually(
    async () => (await find(assignments, ns, 'box'))?.metadata.ownerReferences?.length === 1,
    'the Assignment has an owner again',
  )
}

async function filesAssigned(ns: string, files: number): Promise<void> {
  await eventually(
    async () => (await find(assignments, ns, 'box'))?.spec.content?.entries[0]?.files === files,
    `${files} files are assigned`,
  )
}

/** The appliance says that it is there and what it holds. */
async function serve(ns: string, url: string, ca: string): Promise<void> {
  const secret = await eventually(() => find(secrets, ns, tokenSecretName('box')), 'the token is made')
  const token = Buffer.from(secret.data?.token ?? '', 'base64').toString()
  const box: Pick<TestAppliance, 'path'> = { path: `/v1/appliances/${ns}/box` }
  const beat = { method: 'POST', token, ca, body: { bootId: 'boot-1' } }
  await eventually(async () => (await ask(`${url}${box.path}/heartbeat`, beat)).status === 204, 'it is heard')
  const status = { method: 'PUT', token, ca, body: report() }
  expect((await ask(`${url}${box.path}/status`, status)).status).toBe(204)
  const held = { method: 'PUT', token, ca, body: inventory(1) }
  expect((await ask(`${url}${box.path}/inventory/${ns}/films`, held)).status).toBe(204)
  await eventually(
    async () =>
      (await find(appliances, ns, 'box'))?.status?.conditions?.some((c) => c.type === 'Online' && c.status === 'True'),
    'it is online',
  )
}

/** Policy, catalog, appliance, site: each leaves once nothing needs it. */
async function takeDown(ns: string): Promise<void> {
  await gone(placementPolicies, ns, 'all')
  await gone(catalogs, ns, 'films')
  await plane.client.delete(appliances, { namespace: ns, name: 'box' })
  await eventually(async () => {
    const assignment = await find(assignments, ns, 'box')
    const { generation = 0 } = assignment?.spec.content ?? {}
    const box = await find(appliances, ns, 'box')
    if (!box) return true
    // As the gateway would, of a box that has given everything up.
    const content = {
      ...report().content,
      generation,
      filesDesired: 0,
      bytesDesired: 0,
      bytesToFill: 0,
      inventories: [],
    }
    const status = { content } as unknown as NonNullable<typeof box.status>
    const object = { apiVersion: box.apiVersion, kind: box.kind, metadata: { name: 'box', namespace: ns }, status }
    await plane.client
      .applyStatus(appliances, object as typeof box, { fieldManager: 'weir-gateway', force: true })
      .catch((error) => {
        if (!isNotFound(error)) throw error
      })
    return false
  }, 'the appliance goes')
  await gone(sites, ns, 'fra')
}

async function gone<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Promise<void> {
  await eventually(async () => {
    const object = await find(resource, namespace, name)
    if (object && !object.metadata.deletionTimestamp) await plane.client.delete(resource, { namespace, name })
    return !object
  }, `${resource.kind} ${name} goes`)
}

/** The same thing happens twice, and once more after a restart within the same second. */
async function tellEvents(ns: string, client: Client): Promise<void> {
  const frozen = { ...systemClock, now: () => new Date('2030-01-01T00:00:00Z') }
  const regarding = { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', namespace: ns, name: 'fra' }
  for (let start = 0; start < 2; start++) {
    const recorder = new EventRecorder({ client, clock: frozen, log: silentLog, gatherMs: 1 })
    for (let i = 0; i < 2; i++) {
      recorder.record({ regarding, type: 'Normal', reason: 'Told', message: 'It happened' }, 'weir-site')
    }
    await recorder.close()
  }
  const { items } = await plane.client.list(coreEvents, { namespace: ns })
  expect(items.find(({ reason }) => reason === 'Told')?.count).toBe(4)
}
