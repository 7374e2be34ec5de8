import { X509Certificate } from 'node:crypto'
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { CertificateFiles, type ServerCertificate } from '../../../runtime/certificates/certificate-files.ts'
import { issueAuthority, issueCertificate, type KeyPair } from '../../../runtime/certificates/issue.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { until } from '../http.ts'

let old: KeyPair
let renewed: KeyPair
let dir: string
let clock: FakeClock
let files: CertificateFiles
let used: ServerCertificate[]

beforeAll(async () => {
  const now = new Date()
  const authority = await issueAuthority('test', { now, days: 100 })
  const issue = (days: number) =>
    issueCertificate(authority, { type: 'server', commonName: 'gateway', names: ['localhost'] }, { now, days })
  old = await issue(30)
  renewed = await issue(60)
})
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-certificates-'))
  clock = new FakeClock()
  used = []
  await put('cert', old.certificate)
  await put('key', old.key)
  files = await CertificateFiles.open({ certPath: join(dir, 'cert'), keyPath: join(dir, 'key'), clock })
  files.follow((pair) => used.push(pair))
})
afterEach(async () => {
  files.close()
  await rm(dir, { recursive: true })
})

const put = (name: string, text: string) => writeFile(join(dir, name), text)

/** Lets it look at the files once more. */
async function look(): Promise<void> {
  await until(() => clock.pendingTimers > 0)
  await clock.advance(10_000)
  await until(() => clock.pendingTimers > 0)
}

test('a renewed pair is told once, with when it runs out', async () => {
  await look()
  expect(used).toEqual([])
  expect(files.expiresAt).toEqual(new X509Certificate(old.certificate).validToDate)
  await put('cert', renewed.certificate)
  await put('key', renewed.key)
  await look()
  await look()
  expect(used).toEqual([{ cert: renewed.certificate, key: renewed.key }])
  expect(files.current).toEqual(used[0])
  expect(files.expiresAt).toEqual(new X509Certificate(renewed.certificate).validToDate)
})

test('a Secret volume is renewed by turning a symbolic link', async () => {
  const at = (version: string) => join(dir, version)
  const volume = await mkdtemp(join(dir, 'v'))
  await Promise.all([writeFile(join(volume, 'cert'), renewed.certificate), writeFile(join(volume, 'key'), renewed.key)])
  for (const name of ['cert', 'key']) {
    await symlink(join(volume, name), at(`${name}.new`))
    await rename(at(`${name}.new`), at(name))
  }
  await look()
  expect(used).toEqual([{ cert: renewed.certificate, key: renewed.key }])
})

test.each([
  ['only the certificate is new yet', () => put('cert', renewed.certificate)],
  ['a file is gone', () => rm(join(dir, 'key'))],
  ['a file is half written', () => put('cert', renewed.certificate.slice(0, 200))],
])('while %s the old pair stays, and the whole new one is taken after', async (_, spoil) => {
  await spoil()
  await look()
  expect(used).toEqual([])
  expect(files.current).toEqual({ cert: old.certificate, key: old.key })
  await put('cert', renewed.certificate)
  await put('key', renewed.key)
  await look()
  expect(used).toEqual([{ cert: renewed.certificate, key: renewed.key }])
})

test('a server that cannot use a pair is told of it again', async () => {
  files.close()
  const paths = { certPath: join(dir, 'cert'), keyPath: join(dir, 'key') }
  files = await CertificateFiles.open({ ...paths, clock })
  let refusals = 0
  files.follow(() => {
    refusals++
    throw new Error('not now')
  })
  await put('cert', renewed.certificate)
  await put('key', renewed.key)
  await look()
  await look()
  expect(refusals).toBe(2)
  expect(files.current.cert).toBe(old.certificate)
})

test.each([
  ['certificate and key are of different pairs', () => put('key', renewed.key)],
  ['there is no certificate in the file', () => put('cert', 'hello')],
  ['a file is missing', () => rm(join(dir, 'cert'))],
])('is not opened where %s', async (_, spoil) => {
  await spoil()
  await expect(
    CertificateFiles.open({ certPath: join(dir, 'cert'), keyPath: join(dir, 'key'), clock }),
  ).rejects.toThrow()
})
