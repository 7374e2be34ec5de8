import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { blobDoor, DOOR_CONFIG } from '../../cli/plan/blob-door.ts'
import type { PlanDocument } from '../../cli/plan/document.ts'
import { startControllers } from '../../controllers/main.ts'
import { assignments } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { openBlobDoor } from '../../gateway/blob-door.ts'
import { type BlobStore, digestOf, openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { namespaces, type Resource } from '../../runtime/client/resource.ts'
import { isAlreadyExists } from '../../runtime/errors.ts'
import { inProcess } from '../cli/in-process.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from '../controllers/control-plane.ts'
import { ApiProxy } from './api-proxy.ts'
import { type Rule, untilAllowed } from './until-allowed.ts'

/** API servers proxy to no loopback address. Nobody else reaches this one but who reaches this machine. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address
const real = process.env.WEIR_TEST_KUBECONFIG
if (real && !address)
  console.warn('this machine has no address that an API server proxies to: blobs are not read through one')

const resource = (group: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced,
})
const how = { fieldManager: 'test', force: true }

;(real && address ? describe : describe.skip)('blobs through the proxy of a real API server', () => {
  let folder: string
  let plane: ControlPlane
  let store: BlobStore
  let door: Awaited<ReturnType<typeof openBlobDoor>>
  let service: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-plan-kube-'))
    plane = await startControlPlane()
    store = await openBlobStore(join(folder, 'blobs'))
    const { server } = await ensureCertificates({ folder: join(folder, 'pki'), now: new Date() })
    const tls = { cert: server.certificate, key: server.key }
    door = await openBlobDoor({ blobStore: store, listen: { host: address, port: 0 }, tls })
    service = await expose(plane.client, Number(new URL(door.url).port))
  })
  afterAll(async () => {
    await door?.close()
    await plane?.[Symbol.asyncDispose]()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  /** As the chart makes them; and an EndpointSlice, which kube-controller-manager would make for a pod. */
  async function expose(client: Client, port: number): Promise<string> {
    const namespace = await freshNamespace(client, 'door')
    const metadata = { name: 'weir-blobs', namespace }
    const ports = [{ name: 'blobs', port: 8444, protocol: 'TCP' }]
    const make = (of: Resource, object: object) => client.apply(of, object as KubeObject, how)
    await make(resource('', 'services', 'Service'), { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } })
    // Only addresses of pods are proxied to. No kubelet runs this one: its status says that it is this process.
    const pods = resource('', 'pods', 'Pod')
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata }
    await make(resource('', 'serviceaccounts', 'ServiceAccount'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    })
    await make(pods, { ...pod, spec: { containers: [{ name: 'gateway', image: 'none' }] } })
    const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] }
    await client.applyStatus(pods, { ...pod, status } as KubeObject, how)
    const targetRef = { kind: 'Pod', ...metadata }
    await make(resource('discovery.k8s.io', 'endpointslices', 'EndpointSlice'), {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true }, targetRef }],
      ports: [{ name: 'blobs', port, protocol: 'TCP' }],
    })
    await make(resource('', 'endpoints', 'Endpoints'), {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      subsets: [{ addresses: [{ ip: address, targetRef }], ports: [{ name: 'blobs', port, protocol: 'TCP' }] }],
    })
    await client
      .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: DOOR_CONFIG.namespace } })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error
      })
    const told = `${namespace}/weir-blobs:blobs`
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: DOOR_CONFIG, data: { service: told } }
    await make(resource('', 'configmaps', 'ConfigMap'), config)
    return told
  }

  /** A client of somebody who may do this, and nothing else. */
  async function somebody(name: string, rules: readonly Rule[]): Promise<[Client, () => Promise<void>, string]> {
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const user = `${name}-${service.split('/')[0]}`
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user }
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]
    const make = (kind: string, plural: string, rest: object) =>
      plane.client.apply(
        resource('rbac.authorization.k8s.io', plural, kind, false),
        { apiVersion, kind, metadata: { name: user }, ...rest } as KubeObject,
        how,
      )
    await make('ClusterRole', 'clusterroles', { rules })
    await make('ClusterRoleBinding', 'clusterrolebindings', { roleRef, subjects })
    const impersonate = { user, groups: ['system:authenticated'] }
    await untilAllowed(plane.client, impersonate, rules)
    const proxy = await ApiProxy.start({ kubeconfigPath: plane.kubeconfigPath, impersonate })
    const path = proxy.writeKubeconfig(join(folder, user))
    const client = new Client({ access: await loadKubeconfig({ path }) })
    const close = async () => {
      client.close()
      await proxy[Symbol.asyncDispose]()
    }
    return [client, close, user]
  }

  const config = { apiGroups: [''], resources: ['configmaps'], resourceNames: [DOOR_CONFIG.name], verbs: ['get'] }
  const proxied = {
    apiGroups: [''],
    resources: ['services/proxy'],
    resourceNames: ['https:weir-blobs:blobs'],
    verbs: ['get'],
  }
  const signal = new AbortController().signal

  test('reach who may use that proxy, found by what the chart has written down', async () => {
    const bytes = Buffer.from('a manifest'.repeat(50_000))
    const digest = await store.put(bytes)
    const missing = digestOf(Buffer.from('nothing'))
    const [client, close] = await somebody('planner', [config, proxied])
    try {
      const blobs = await eventually(
        () => blobDoor(client, undefined, signal)([digest, missing]),
        'the rights are in force',
      )
      expect([...blobs].map(([each, found]) => [each, found?.length])).toEqual([
        [digest, bytes.length],
        [missing, undefined],
      ])
      expect(digestOf(blobs.get(digest)!)).toBe(digest)
    } finally {
      await close()
    }
  })

  test('make the plan of who may only read exact; it is saved, applied, and stale then', async () => {
    const ns = await freshNamespace(plane.client, 'plan')
    await using fleet = await placedFleet(ns)
    const read = { verbs: ['get', 'list'] }
    const rules = [
      { apiGroups: ['fleet.weir.dev', 'content.weir.dev'], resources: ['*'], ...read },
      { apiGroups: [''], resources: ['namespaces'], ...read },
    ]
    const [, close, user] = await somebody('planning', [config, proxied, ...rules])
    await close()
    const env = { KUBECONFIG: plane.kubeconfigPath, XDG_CACHE_HOME: join(folder, 'cache') }
    const planned = await eventually(async () => {
      const result = await inProcess(['plan', '-f', '-', '-o', 'json', '--as', user], { env, input: fleet.policy(2) })
      // Until the roles are in force, less is known.
      return result.code === 1 && !result.stdout.includes('forbidden') && result
    }, 'the rights are in force')
    const { fleet: effects, changes } = JSON.parse(planned.stdout) as PlanDocument
    expect(changes).toMatchObject([
      { action: 'change', objectKind: 'PlacementPolicy', fields: [{ before: 1, after: 2 }] },
    ])
    expect(effects.totals.fillBytes).toEqual({ certainty: 'exact', value: fleet.bytes })
    expect(effects.sites).toMatchObject([{ namespace: ns, name: 'fra1' }])

    const out = join(folder, 'plan.json')
    const save = ['plan', '-f', '-', '--out', out, '--exit-code=false']
    const apply = () => inProcess(['apply', '--plan', out, '--no-wait'], { env })
    const applied = await eventually(async () => {
      expect(await inProcess(save, { env, input: fleet.policy(2) })).toMatchObject({ code: 0 })
      const result = await apply()
      // Controllers may have done something about the fleet in between: then one plans again.
      return result.code !== 6 && result
    }, 'a plan is applied')
    expect(applied).toEqual({ code: 0, stdout: 'placementpolicy.content.weir.dev/films configured\n', stderr: '' })
    const stale = await apply()
    expect([stale.code, stale.stderr]).toEqual([
      6,
      expect.stringContaining(`PlacementPolicy ${ns}/films was changed\n`),
    ])
  }, 180_000)

  /** Two appliances that are to hold a catalog, with controllers that have planned it. */
  async function placedFleet(ns: string) {
    const digest = (name: string) => createHash('sha256').update(name).digest('hex')
    const files = ['a.mp4', 'b.mp4'].map((path, i) => ({ path, size: 1000 * (i + 1), sha256: digest(path) }))
    const source = join(folder, 'films.ndjson')
    writeFileSync(source, files.map((file) => `${JSON.stringify(file)}\n`).join(''))
    const controllers = startControllers({
      client: plane.client,
      blobs: store,
      installProtection: false,
      catalog: { fileRoots: [folder] },
      placement: { fleetDelayMs: 20, progressDelayMs: 50 },
    })
    const object = (group: string, kind: string, name: string, spec: object, namespace = `, namespace: ${ns}`) =>
      `apiVersion: ${group}.weir.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}${namespace}}\nspec: ${JSON.stringify(spec)}\n`
    const policy = (perSite: number) =>
      object('content', 'PlacementPolicy', 'films', { catalogRef: { name: 'films' }, copies: { perSite } })
    const hardware = `small-${ns}`
    const appliance = { siteRef: { name: 'fra1' }, hardwareClassRef: { name: hardware } }
    const input = [
      object('fleet', 'HardwareClass', hardware, { storageBytes: 1e6, storageMedium: 'flash', throughputGbps: 10 }, ''),
      object('fleet', 'Site', 'fra1', { country: 'DE', metro: 'fra' }),
      object('fleet', 'Appliance', 'a', appliance),
      object('fleet', 'Appliance', 'b', appliance),
      object('content', 'Catalog', 'films', { source: { url: pathToFileURL(source).href } }),
      policy(1),
    ].join('---\n')
    const env = { KUBECONFIG: plane.kubeconfigPath }
    expect(await inProcess(['apply', '-f', '-', '--no-wait'], { env, input })).toMatchObject({ code: 0 })
    await eventually(async () => {
      const { items } = await plane.client.list(assignments, { namespace: ns })
      return items.reduce((sum, { spec }) => sum + (spec.content?.entries[0]?.files ?? 0), 0) === files.length
    }, 'every file is assigned to one appliance')
    return {
      policy,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      [Symbol.asyncDispose]: () => controllers.close(),
    }
  }

  test('do not reach who may not, who is told what is missing', async () => {
    const [client, close] = await somebody('reader', [config])
    try {
      const refused = await eventually(
        () =>
          blobDoor(
            client,
            undefined,
            signal,
          )([digestOf(Buffer.from('x'))]).then(
            () => undefined,
            (error: Error) => (error.message.includes('services/proxy') ? error.message : undefined),
          ),
        'the ConfigMap may be read, and the proxy may not be used',
      )
      expect(refused).toMatch(/^you may not read .*\/services\/https:weir-blobs:blobs\/proxy\/weir\/v1\/blobs: /)
    } finally {
      await close()
    }
  })
})
