import { relative, resolve } from 'node:path'
import { appliances, catalogs, placementPolicies } from '../../controllers/resources.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Appliance, Catalog, PlacementPolicy } from '../../crds/types.gen.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Client } from '../../runtime/client/client.ts'
import { urlPathOf } from '../../runtime/http-files/folder.ts'
import { LOCAL_KUBECONFIG } from '../api/connect.ts'
import { discover } from '../api/discovery.ts'
import { resourceFor } from '../api/mapping.ts'
import { AS_TABLE, readPages } from '../api/request.ts'
import { resolveManifests } from '../changes/resolve.ts'
import { sendApply } from '../changes/send.ts'
import { printTables } from '../get/print-tables.ts'
import type { Io } from '../io.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { packageFolder } from '../package-folder.ts'
import { LiveView } from './live-view.ts'
import type { Origin } from './origin.ts'

/** The namespace of examples/quickstart/. */
const NAMESPACE = 'quickstart'
/** The origin that the example's Catalog names. */
const EXAMPLE_ORIGIN = 'http://127.0.0.1:8480/'
/** Without any change for so long, say what the fleet waits for. */
const QUIET_MS = 20_000

export interface QuickstartOptions {
  readonly io: Io
  readonly client: Client
  readonly origin: Origin
  readonly kubeconfigPath: string
  readonly steeringUrl: string
}

/** Applies the example and shows the fleet until it holds what it should; ends with a table and what to try next. */
export async function runQuickstart(options: QuickstartOptions): Promise<void> {
  const { io, client, origin } = options
  const startedMs = performance.now()
  // Whole seconds: an agent may tell its time so.
  const runSinceMs = Math.floor(performance.timeOrigin / 1000) * 1000
  const { files, bytes } = await origin.ready
  await applyExample(io, client, origin)
  const fleet = new Cache<Appliance>({ client, resource: appliances, namespace: NAMESPACE })
  const library = new Cache<Catalog>({ client, resource: catalogs, namespace: NAMESPACE })
  const policies = new Cache<PlacementPolicy>({ client, resource: placementPolicies, namespace: NAMESPACE })
  const view = new LiveView(io, () => fleet.list())
  fleet.start()
  library.start()
  policies.start()
  try {
    await Promise.all([
      fleet.waitForSync(io.interrupted),
      library.waitForSync(io.interrupted),
      policies.waitForSync(io.interrupted),
    ])
    view.start()
    await settled(io, fleet, () => {
      const read = library.list().every(({ status }) => status?.files === files && status.bytes === bytes)
      // Appliances are ready for what they are asked to hold, which is nothing until the policy has planned.
      const told = fleet.size > 0 && fleet.list().every((appliance) => isOfThisRun(appliance, runSinceMs))
      return read && told && policies.size > 0 && [...policies.list(), ...fleet.list()].every(isReady)
    })
  } finally {
    view.stop()
    await Promise.all([fleet.close(), library.close(), policies.close()])
  }
  io.err(
    `\nAll ${fleet.size} appliances hold what they should, ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the start.\n\n`,
  )
  await io.out(await fleetTable(client, io.interrupted))
  io.err(await nextSteps(options, fleet.list()))
}

async function applyExample(io: Io, client: Client, origin: Origin): Promise<void> {
  const folder = packageFolder('examples/quickstart')
  const loaded = await loadManifests({ files: [folder], recursive: false, cwd: io.cwd, stdin: io.stdin })
  const moved = {
    ...loaded,
    manifests: loaded.manifests.map((manifest) => ({
      ...manifest,
      place: manifest.place,
      object: atOrigin(manifest.object, origin.url),
    })),
  }
  const connection = { client, namespace: 'default', namespaceGiven: false }
  const options = { fieldManager: 'weir', dryRun: false, take: [], signal: io.interrupted }
  const set = await resolveManifests(moved, connection, io.interrupted)
  for (const resolved of set) await sendApply(client, resolved, options)
  io.err(`Applied ${shown(io, folder)}: ${set.length} objects\n`)
}

/** The example's Catalog reads from where the origin really listens. */
function atOrigin(object: KubeObject & JsonObject, url: string): KubeObject & JsonObject {
  return JSON.parse(JSON.stringify(object).replaceAll(EXAMPLE_ORIGIN, `${url}/`)) as KubeObject & JsonObject
}

function isReady({ metadata, status }: Appliance | PlacementPolicy): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

/** Told by an agent of this run: what an earlier run's agents said is still there when this one begins. */
function isOfThisRun({ status }: Appliance, sinceMs: number): boolean {
  return Date.parse(status?.agent?.startedAt ?? '') >= sinceMs
}

/** Resolves once `done`; says from time to time what is waited for when nothing moves. */
async function settled(io: Io, fleet: Cache<Appliance>, done: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = () => reject(io.interrupted.reason)
  io.interrupted.addEventListener('abort', onAbort, { once: true })
  let movedMs = performance.now()
  const forget = fleet.onChange(() => {
    movedMs = performance.now()
  })
  const timer = setInterval(() => {
    if (done()) resolve()
    else if (performance.now() - movedMs > QUIET_MS && !io.errIsTerminal) {
      movedMs = performance.now()
      for (const { metadata, status } of fleet.list())
        if (status?.waitingFor?.length) io.err(`${metadata.name} waits for ${status.waitingFor.join('; ')}\n`)
    }
  }, 100)
  try {
    if (io.interrupted.aborted) onAbort()
    await promise
  } finally {
    clearInterval(timer)
    forget()
    io.interrupted.removeEventListener('abort', onAbort)
  }
}

async function fleetTable(client: Client, signal: AbortSignal): Promise<string> {
  const resource = resourceFor(await discover(client, signal), 'appliances.fleet.weir.dev')
  const pages = await readPages(client, { resource, namespace: NAMESPACE, accept: AS_TABLE, signal }, 0)
  return printTables(
    pages.map((body) => ({ resource, body: body as JsonObject })),
    {},
    false,
  )
}

/** Three commands that work as they are written, in the folder where this one was started. */
async function nextSteps(
  { io, origin, kubeconfigPath, steeringUrl }: QuickstartOptions,
  fleet: readonly Appliance[],
): Promise<string> {
  const program = io.env.npm_lifecycle_event ? 'npm run -s weir --' : 'weir'
  const isDefault = resolve(io.cwd, LOCAL_KUBECONFIG) === kubeconfigPath && !io.env.KUBECONFIG
  const weir = isDefault ? program : `KUBECONFIG=${shown(io, kubeconfigPath)} ${program}`
  const name = [...fleet].map(({ metadata }) => metadata.name ?? '').sort()[0]
  const held = await heldFile(fleet, (await origin.ready).paths)
  return `
Try next, in another terminal:
  ${weir} describe appliance ${name} -n ${NAMESPACE}
${held === undefined ? '' : `  curl ${held}\n  curl '${steeringUrl}/v1/steer?client=192.0.2.7&file=${new URL(held).pathname.slice(1)}'    # press Play as a client of site ams1\n`}  ${weir} diff -f ${shown(io, packageFolder('examples/quickstart'))}    # once you have changed 20-content.yaml; then apply

kubectl works too: KUBECONFIG=${shown(io, kubeconfigPath)} kubectl get appliances -n ${NAMESPACE} -w
Ctrl-C stops everything; starting again goes on from here.
`
}

/** A path as short as it can be written. */
function shown(io: Io, path: string): string {
  const short = relative(io.cwd, path)
  return short.startsWith('..') ? path : short
}

/** The URL of a file that an appliance serves: the first that one of them answers for. */
async function heldFile(fleet: readonly Appliance[], paths: readonly string[]): Promise<string | undefined> {
  const bases = fleet.flatMap(({ status }) => (status?.addresses ?? []).map(({ url }) => url.replace(/\/$/, '')))
  const readable = paths.filter((path) => /^[^.].*\.(md|txt|html)$/.test(path))
  for (const path of [...readable, ...paths].slice(0, 10)) {
    for (const base of bases) {
      const url = `${base}/${NAMESPACE}/library/${urlPathOf(path)}`
      if ((await fetch(url, { method: 'HEAD' }).catch(() => undefined))?.ok) return url
    }
  }
  return undefined
}
