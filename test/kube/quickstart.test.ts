import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import type { Io } from '../../cli/io.ts'
import { type Origin, startOrigin } from '../../cli/up/origin.ts'
import { runQuickstart } from '../../cli/up/quickstart.ts'
import { appliances } from '../../controllers/resources.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { namespaces, secrets } from '../../runtime/client/resource.ts'
import { isAlreadyExists, isForbidden } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/log.ts'
import { helm, installRights, render, required } from '../charts/helm.ts'
import { finished, start, written } from '../cli/harness.ts'
import { type ControlPlane, eventually, startControlPlane } from '../controllers/control-plane.ts'

const NAMESPACE = 'quickstart'
const BOXES = ['fra1-a', 'fra1-b', 'fra1-c', 'ams1-a', 'ams1-b', 'ams1-c']

let plane: ControlPlane
let origin: Origin | undefined
const running: { readonly child: ChildProcess; readonly ended: Promise<unknown>; readonly log: string[] }[] = []
const onLinux = process.platform === 'linux' ? describe : describe.skip

function run(args: readonly string[]): ChildProcess {
  const child = start(args, { cwd: plane.dir, env: { POD_NAMESPACE: HEARTBEAT_NAMESPACE } })
  const log: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString('utf8')))
  running.push({ child, ended: finished(child), log })
  return child
}

/**
 * A kubeconfig of the chart's ServiceAccount, with the chart's rights and no others, and its token in a file as in a pod. The embedded server issues no
 * such tokens: there it is the administrator's.
 */
async function kubeconfigOf(account: 'weir-controller' | 'weir-gateway' | 'weir-steering'): Promise<string> {
  const given = process.env.WEIR_TEST_KUBECONFIG
  if (given === undefined || !helm) return plane.kubeconfigPath
  const { status } = (await plane.client.raw(
    `/api/v1/namespaces/${HEARTBEAT_NAMESPACE}/serviceaccounts/${account}/token`,
    {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
    },
  )) as { readonly status: { readonly token: string } }
  const tokenFile = file(`${account}.token`, status.token)
  const { clusters } = parse(readFileSync(given, 'utf8')) as { readonly clusters: readonly { readonly name: string }[] }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': account,
    contexts: [{ name: account, context: { cluster: clusters[0]!.name, user: account } }],
    clusters,
    users: [{ name: account, user: { tokenFile } }],
  }
  return file(`${account}.kubeconfig`, JSON.stringify(config))
}

/** What each program said at last, and what it warned of. */
function lastWords(): string {
  return running
    .map(({ child, log }) => {
      const lines = log.join('').trimEnd().split('\n')
      const telling = lines
        .filter((line, i) => i >= lines.length - 3 || /"level":"(warn|error|fatal)"/.test(line))
        .slice(-15)
      const ended = child.exitCode ?? child.signalCode ?? 'runs'
      return [
        `${child.spawnargs.slice(1, 4).join(' ')} … (${ended}):`,
        ...telling.map((line) => line.slice(0, 500)),
      ].join('\n')
    })
    .join('\n')
}

/** A file of the test's own, replaced in one go. */
function file(name: string, text: string): string {
  const path = join(plane.dir, name)
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return path
}

/** Whose certificate the gateway shows: whether that of `authority`. */
function showsCertificateOf(authority: string, gatewayUrl: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(gatewayUrl)
    const socket = connect({ host: hostname, port: Number(port), ca: authority }, () => {
      socket.end()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

onLinux('the programs of the chart, against any API server', () => {
  beforeAll(async () => {
    plane = await startControlPlane()
    await plane.client
      .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HEARTBEAT_NAMESPACE } })
      .catch((error) => {
        if (!isAlreadyExists(error)) throw error
      })
    if (helm) await installRights(plane.client, await render(required, HEARTBEAT_NAMESPACE))
  })
  afterAll(async () => {
    // While there is somebody to drain the appliances and take the finalizers away.
    await plane?.client.delete(namespaces, { name: NAMESPACE }).catch(() => {})
    await eventually(
      async () => (await plane.client.list(appliances, { namespace: NAMESPACE })).items.length === 0,
      'it is gone',
    ).catch(() => {})
    for (const { child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ ended }) => ended))
    await origin?.close()
    await plane?.[Symbol.asyncDispose]()
  }, 120_000)

  test('controllers, a gateway and six agents fill the quickstart', async () => {
    try {
      await fill()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n\n${lastWords()}`, { cause: error })
    }
  }, 180_000)
})

async function fill(): Promise<void> {
  const { dir, client, kubeconfigPath } = plane
  const pki = await ensureCertificates({ folder: join(dir, 'pki-gateway'), now: new Date() })
  const [controllerConfig, gatewayConfig] = [await kubeconfigOf('weir-controller'), await kubeconfigOf('weir-gateway')]
  const steeringConfig = await kubeconfigOf('weir-steering')
  const common = [`--blobs=${join(dir, 'shared')}`, '--metrics-listen=127.0.0.1:0']
  mkdirSync(join(dir, 'shared'))
  // Appliances of earlier tests on the same server may be dark.
  const brake = ['--max-dark-share=1', '--min-dark=1000000']
  run(['controller', '--leader-elect', `--kubeconfig=${controllerConfig}`, ...brake, ...common])
  const certificate = [
    `--tls-cert=${file('tls.crt', pki.server.certificate)}`,
    `--tls-key=${file('tls.key', pki.server.key)}`,
  ]
  const gateway = run([
    'gateway',
    `--kubeconfig=${gatewayConfig}`,
    '--listen=127.0.0.1:0',
    '--id=quickstart',
    ...certificate,
    ...common,
  ])
  const opened = await written(gateway, 'stderr', /"url":"https:[^"]*"/)
  const gatewayUrl = /"url":"(https:[^"]*)"/.exec(opened)![1]!

  const steering = run([
    'steering',
    `--kubeconfig=${steeringConfig}`,
    '--listen=127.0.0.1:0',
    '--trusted-proxies=127.0.0.0/8',
    ...common,
  ])
  const answering = await written(steering, 'stderr', /"url":"http:[^"]*"/)
  const steeringUrl = /"url":"(http:[^"]*)"/.exec(answering)![1]!

  const folder = join(import.meta.dirname, '../../examples/origin')
  origin = await startOrigin({ folder, exclude: [], indexFile: join(dir, 'origin.json'), port: 0, log: silentLog })
  const never = new AbortController().signal
  let [shown, said] = ['', '']
  const io: Io = {
    env: {},
    cwd: dir,
    stdin: new PassThrough(),
    out: async (text) => {
      shown += text
    },
    err: (text) => {
      said += text
    },
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: () => 80,
    interrupted: never,
    readerGone: never,
  }
  const filled = runQuickstart({ io, client, origin, kubeconfigPath, steeringUrl })
  const ca = file('ca.crt', pki.authority)
  await Promise.all([
    filled,
    ...BOXES.map(async (box) => {
      const key = { namespace: NAMESPACE, name: tokenSecretName(box) }
      const secret = await eventually(() => client.find(secrets, key), `the token of ${box}`)
      const token = file(`${box}.token`, Buffer.from(secret.data?.token ?? '', 'base64').toString())
      const where = ['--token-file', token, '--root', join(dir, box), '--ca', ca]
      run(['agent', '--gateway', gatewayUrl, '--appliance', `${NAMESPACE}/${box}`, ...where])
    }),
  ])
  for (const box of BOXES) expect(shown).toContain(box)
  const { files } = await origin.ready
  const { items } = await client.list(appliances, { namespace: NAMESPACE })
  const held = items.map(({ status }) => status?.content?.filesHeld ?? 0)
  // Two copies at each of two sites.
  expect(held.reduce((sum, n) => sum + n, 0)).toBe(4 * files)

  // What the quickstart offers to try: a client of site ams1 is sent to one of its appliances, which has the file.
  const [, ask] = /curl '([^']*\/v1\/steer\?[^']*)'/.exec(said)!
  const sent = await eventually(async () => {
    const answer = await fetch(ask!)
    if (answer.status !== 200) return undefined
    const { urls } = (await answer.json()) as {
      readonly urls: readonly { readonly url: string; readonly appliance?: string }[]
    }
    return urls.find(({ appliance }) => appliance?.startsWith(`${NAMESPACE}/ams1-`))
  }, 'steering answers')
  expect((await fetch(sent.url)).status).toBe(200)
  if (gatewayConfig === kubeconfigPath) return

  // The accounts have the chart's rights: nothing was refused, and other things would be.
  const logged = () => running.map(({ log }) => log.join('')).join('')
  expect(logged()).toMatch(/"program":"controller".*"program":"gateway"/s)
  // Nothing can be made in namespaces of earlier tests that are on their way out; that is refused to everybody.
  const refusals = logged().split('\n')
  expect(refusals.filter((line) => /forbidden/i.test(line) && !line.includes('being terminated'))).toEqual([])
  const asGateway = new Client({ access: await loadKubeconfig({ path: gatewayConfig }) })
  const refused = await asGateway.delete(appliances, { namespace: NAMESPACE, name: BOXES[0]! }).catch((error) => error)
  asGateway.close()
  expect(isForbidden(refused)).toBe(true)

  // Renewed under the gateway's feet, as cert-manager does.
  const renewed = await ensureCertificates({ folder: join(dir, 'pki-renewed'), now: new Date() })
  file('tls.crt', renewed.server.certificate)
  file('tls.key', renewed.server.key)
  await eventually(() => showsCertificateOf(renewed.authority, gatewayUrl), 'the gateway shows the new certificate')
}
