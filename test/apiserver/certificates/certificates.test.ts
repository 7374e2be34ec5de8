import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestOptions, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { KubeConfig } from '@kubernetes/client-node'
import { type Certificates, ensureCertificates } from '../../../apiserver/certificates/certificates.ts'
import { writeKubeconfig } from '../../../apiserver/certificates/kubeconfig.ts'

const now = new Date()
const inDays = (days: number) => new Date(now.getTime() + days * 24 * 60 * 60 * 1000)

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'weir-certificates-')), 'pki')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

/** What a server with these certificates learns of a client that connects to it; rejects if either refuses the other. */
async function handshake(server: Certificates, client: RequestOptions): Promise<string> {
  const options = { key: server.server.key, cert: server.server.certificate, ca: server.authority }
  const listening = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (req, res) => {
    const { subject } = (req.socket as TLSSocket).getPeerCertificate()
    res.end(`${subject.O}/${subject.CN}`)
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const { port } = listening.address() as AddressInfo
  try {
    return await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, agent: false, ...client }, (res) =>
        res.setEncoding('utf8').on('data', resolve),
      )
        .on('error', reject)
        .end()
    })
  } finally {
    listening.close()
  }
}

const asAdmin = ({ authority, admin }: Certificates) => ({ ca: authority, cert: admin.certificate, key: admin.key })

test.each(['127.0.0.1', '::1', 'localhost', 'weir.example.net', '192.0.2.7'])('TLS holds for %s', async (name) => {
  const certificates = await ensureCertificates({ folder, names: ['weir.example.net', '192.0.2.7'], now })
  const checkServerIdentity = (_: string, peer: { raw: Buffer }) => {
    const certificate = new X509Certificate(peer.raw)
    const found = certificate.checkHost(name) ?? certificate.checkIP(name)
    return found ? undefined : new Error(`not for ${name}`)
  }
  const client = { ...asAdmin(certificates), checkServerIdentity }
  await expect(handshake(certificates, client)).resolves.toBe('system:masters/weir-admin')
})

test('a client of another authority is refused, and refuses', async () => {
  const [ours, theirs] = [
    await ensureCertificates({ folder, now }),
    await ensureCertificates({ folder: join(folder, 'other'), now }),
  ]
  await expect(handshake(ours, { ...asAdmin(theirs), ca: ours.authority })).rejects.toThrow()
  await expect(handshake(ours, { ...asAdmin(ours), ca: theirs.authority })).rejects.toThrow()
})

test('keys are readable by their owner alone, and nothing temporary stays', async () => {
  await ensureCertificates({ folder, now })
  const names = readdirSync(folder).sort()
  expect(names).toEqual(['admin.crt', 'admin.key', 'ca.crt', 'ca.key', 'server.crt', 'server.key'])
  for (const name of names.filter((n) => n.endsWith('.key')))
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('what is good is only read, and in no time', async () => {
  const first = await ensureCertificates({ folder, now })
  let bestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const started = performance.now()
    expect(await ensureCertificates({ folder, now })).toEqual(first)
    bestMs = Math.min(bestMs, performance.now() - started)
  }
  expect(bestMs).toBeLessThan(100)
})

describe('issued anew', () => {
  const changes = (before: Certificates, after: Certificates) => ({
    authority: before.authority !== after.authority,
    server: before.server.certificate !== after.server.certificate,
    admin: before.admin.certificate !== after.admin.certificate,
  })
  const path = (name: string) => join(folder, name)

  test.each([
    ['nothing, nine months from the end', { now: inDays(365 - 91) }, () => {}, []],
    ['certificates that expire within three months', { now: inDays(365 - 89) }, () => {}, ['server', 'admin']],
    [
      'everything, before the authority expires under what it signs',
      { now: inDays(3650 - 400) },
      () => {},
      ['authority', 'server', 'admin'],
    ],
    ['the server, under a name it does not have', { names: ['new.example.net'] }, () => {}, ['server']],
    ['nothing, under names it has', { names: ['localhost', '0:0:0:0:0:0:0:1'] }, () => {}, []],
    ['a certificate whose key is lost', {}, () => unlinkSync(path('server.key')), ['server']],
    ['a certificate that was never written: the process died', {}, () => unlinkSync(path('admin.crt')), ['admin']],
    [
      'a certificate with the key of another',
      {},
      () => writeFileSync(path('server.key'), readFileSync(path('admin.key'))),
      ['server'],
    ],
    ['what is no certificate', {}, () => writeFileSync(path('admin.crt'), 'rubbish'), ['admin']],
    ['an authority whose certificate was never written', {}, () => unlinkSync(path('ca.crt')), ['authority']],
  ])('is %s', async (_, options, spoil, expected) => {
    const before = await ensureCertificates({ folder, now })
    spoil()
    const after = await ensureCertificates({ folder, now, ...options })
    const changed = Object.entries(changes(before, after)).filter(([, isChanged]) => isChanged)
    expect(changed.map(([name]) => name)).toEqual(expected)
    expect(new X509Certificate(after.server.certificate).verify(new X509Certificate(after.authority).publicKey)).toBe(
      true,
    )
  })

  test('by a renewed authority, certificates are good for those who trust the one before', async () => {
    const before = await ensureCertificates({ folder, now: inDays(-3650 + 400) })
    const after = await ensureCertificates({ folder, now })
    expect(after.authority).not.toBe(before.authority)
    await expect(handshake(after, { ...asAdmin(after), ca: before.authority })).resolves.toContain('system:masters')
  })
})

test.each([
  ['lost', () => unlinkSync(join(folder, 'ca.key')), 'ca.key is missing'],
  [
    'another',
    () => writeFileSync(join(folder, 'ca.key'), readFileSync(join(folder, 'admin.key'))),
    'not the key of ca.crt',
  ],
])('an authority whose key is %s is a matter for a person', async (_, spoil, message) => {
  await ensureCertificates({ folder, now })
  spoil()
  await expect(ensureCertificates({ folder, now })).rejects.toThrow(message)
})

describe('kubeconfig', () => {
  test('is what clients read, for its owner alone, even over a file that was open to all', async () => {
    const certificates = await ensureCertificates({ folder, now })
    const path = join(folder, 'kubeconfig')
    writeFileSync(path, 'old', { mode: 0o644 })
    await writeKubeconfig(path, {
      server: 'https://127.0.0.1:6443',
      authority: certificates.authority,
      client: certificates.admin,
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const config = new KubeConfig()
    config.loadFromFile(path)
    expect(config.getCurrentCluster()?.server).toBe('https://127.0.0.1:6443')
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    await expect(handshake(certificates, { ...options, host: '127.0.0.1' })).resolves.toBe('system:masters/weir-admin')
  })

  test('stays as it is where it says the same', async () => {
    const certificates = await ensureCertificates({ folder, now })
    const options = { server: 'https://localhost:1', authority: certificates.authority, client: certificates.admin }
    const path = join(folder, 'kubeconfig')
    await writeKubeconfig(path, options)
    const { ino } = statSync(path)
    await writeKubeconfig(path, options)
    expect(statSync(path).ino).toBe(ino)
    await writeKubeconfig(path, { ...options, server: 'https://localhost:2' })
    expect(statSync(path).ino).not.toBe(ino)
  })
})
