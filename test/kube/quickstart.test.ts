import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import type { Io } from '../../cli/io.ts'
import { type Origin, startOrigin } from '../../cli/up/origin.ts'
import { runQuickstart } from '../../cli/up/quickstart.ts'
import { appliances } from '../../controllers/resources.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { namespaces, secrets } from '../../runtime/client/resource.ts'
import { isAlreadyExists } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/log.ts'
import { finished, start, written } from '../cli/harness.ts'
import { type ControlPlane, eventually, startControlPlane } from '../controllers/control-plane.ts'

const NAMESPACE = 'quickstart'
const BOXES = ['fra1-a', 'fra1-b', 'fra1-c', 'ams1-a', 'ams1-b', 'ams1-c']

let plane: ControlPlane
let origin: Origin | undefined
const running: { readonly child: ChildProcess; readonly ended: Promise<unknown> }[] = []
const onLinux = process.platform === 'linux' ? describe : describe.skip

function run(args: readonly string[]): ChildProcess {
  const child = start(args, { cwd: plane.dir, env: { POD_NAMESPACE: HEARTBEAT_NAMESPACE } })
  running.push({ child, ended: finished(child) })
  return child
}

onLinux('the programs of the chart, against any API server', () => {
  beforeAll(async () => {
    plane = await startControlPlane()
    await plane.client
      .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HEARTBEAT_NAMESPACE } })
      .catch((error) => {
        if (!isAlreadyExists(error)) throw error
      })
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
  }, 60_000)

  test('controllers, a gateway and six agents fill the quickstart', async () => {
    const { dir, client, kubeconfigPath } = plane
    const pki = await ensureCertificates({ folder: join(dir, 'pki-gateway'), now: new Date() })
    const file = (name: string, text: string) => {
      writeFileSync(join(dir, name), text, { mode: 0o600 })
      return join(dir, name)
    }
    const common = [`--kubeconfig=${kubeconfigPath}`, `--blobs=${join(dir, 'shared')}`, '--metrics-listen=127.0.0.1:0']
    mkdirSync(join(dir, 'shared'))
    // Appliances of earlier tests on the same server may be dark.
    run(['controller', '--leader-elect', '--max-dark-share=1', '--min-dark=1000000', ...common])
    const certificate = [
      `--tls-cert=${file('tls.crt', pki.server.certificate)}`,
      `--tls-key=${file('tls.key', pki.server.key)}`,
    ]
    const gateway = run(['gateway', '--listen=127.0.0.1:0', '--id=quickstart', ...certificate, ...common])
    const said = await written(gateway, 'stderr', /"url":"https:[^"]*"/)
    const gatewayUrl = /"url":"(https:[^"]*)"/.exec(said)![1]!

    const folder = join(import.meta.dirname, '../../examples/origin')
    origin = await startOrigin({ folder, exclude: [], indexFile: join(dir, 'origin.json'), port: 0, log: silentLog })
    const never = new AbortController().signal
    let shown = ''
    const io: Io = {
      env: {},
      cwd: dir,
      stdin: new PassThrough(),
      out: async (text) => {
        shown += text
      },
      err: () => {},
      errIsTerminal: false,
      outIsTerminal: false,
      interactive: false,
      columns: () => 80,
      interrupted: never,
      readerGone: never,
    }
    const filled = runQuickstart({ io, client, origin, kubeconfigPath })
    const ca = file('ca.crt', pki.authority)
    await Promise.all(
      BOXES.map(async (box) => {
        const key = { namespace: NAMESPACE, name: tokenSecretName(box) }
        const secret = await eventually(() => client.find(secrets, key), `the token of ${box}`)
        const token = file(`${box}.token`, Buffer.from(secret.data?.token ?? '', 'base64').toString())
        const where = ['--token-file', token, '--root', join(dir, box), '--ca', ca]
        run(['agent', '--gateway', gatewayUrl, '--appliance', `${NAMESPACE}/${box}`, ...where])
      }),
    )
    await filled
    for (const box of BOXES) expect(shown).toContain(box)
    const { files } = await origin.ready
    const { items } = await client.list(appliances, { namespace: NAMESPACE })
    const held = items.map(({ status }) => status?.content?.filesHeld ?? 0)
    // Two copies at each of two sites.
    expect(held.reduce((sum, n) => sum + n, 0)).toBe(4 * files)
  }, 120_000)
})
