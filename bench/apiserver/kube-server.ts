import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { freePort } from './free-port.ts'
import { accessOf, ended, type ServerUnderTest, untilReady } from './server-under-test.ts'

/**
 * kube-apiserver and etcd, with defaults (etcd syncs every write), serving the groups that Weir serves too.
 * @param assets The folder of both programs, as KUBEBUILDER_ASSETS names it.
 */
export async function startKube(assets: string): Promise<ServerUnderTest> {
  const folder = mkdtempSync(join(process.env.WEIR_BENCH_DIR ?? tmpdir(), 'kube-bench-'))
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()]
  const pki = join(folder, 'pki')
  const certificates = await ensureCertificates({ folder: pki, now: new Date() })
  const serviceAccountKey = join(pki, 'sa.key')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(serviceAccountKey, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })

  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const etcd = start(join(assets, 'etcd'), folder, {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
  })
  const apiserver = start(join(assets, 'kube-apiserver'), folder, {
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    'etcd-servers': etcdUrl,
    'tls-cert-file': join(pki, 'server.crt'),
    'tls-private-key-file': join(pki, 'server.key'),
    'client-ca-file': join(pki, 'ca.crt'),
    'authorization-mode': 'RBAC',
    'service-account-key-file': serviceAccountKey,
    'service-account-signing-key-file': serviceAccountKey,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-cluster-ip-range': '10.0.0.0/24',
    'disable-admission-plugins': 'ServiceAccount',
  })
  const access = accessOf(`https://127.0.0.1:${port}`, certificates.authority, certificates.admin)
  const stop = async () => {
    await ended(apiserver)
    await ended(etcd)
    rmSync(folder, { recursive: true })
  }
  try {
    await untilReady(access, apiserver)
  } catch (error) {
    await stop()
    throw error
  }
  return { name: 'kube-apiserver + etcd', access, pids: [apiserver.pid!, etcd.pid!], stop }
}

function start(program: string, folder: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a')
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const child = spawn(program, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}
