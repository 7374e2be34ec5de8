import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { KeyPair, Subject } from '../../runtime/certificates/issue.ts'
import { writeFileAtomic } from './atomic-file.ts'

/** What the API server needs to be trusted, and its administrator to be known. */
export interface Certificates {
  /** The authority's certificate, PEM: what clients trust, and what client certificates are checked against. */
  readonly authority: string
  readonly server: KeyPair
  /** Of the administrator: group system:masters. */
  readonly admin: KeyPair
}

export interface CertificatesOptions {
  /** Holds ca, server and admin, each `.crt` (0644) and `.key` (0600). Created where it is not there. */
  readonly folder: string
  /** DNS names and IP addresses under which the server is reached, besides those of this machine's loopback. */
  readonly names?: readonly string[]
  readonly now: Date
}

const loopback = ['localhost', '127.0.0.1', '::1']
const admin: Subject = { type: 'client', user: 'weir-admin', groups: ['system:masters'] }
const authorityDays = 3650
const certificateDays = 365
/** A certificate with less than this left is issued anew; the authority's must outlive what it signs. */
const renewalDays = { certificate: 90, authority: certificateDays + 90 }

/**
 * The certificates under a folder. Where they are good this only reads them (milliseconds); what is missing, does not fit or expires soon is
 * issued, by the same authority. Call it with the folder locked (by its store): two processes must not issue at once.
 *
 * Throws where the authority's key is lost: a new authority would be trusted by nobody who knows the old one, so that is for a person to decide.
 */
export async function ensureCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { folder, now } = options
  const names = [...new Set([...loopback, ...(options.names ?? [])])]
  const authority = await ensureAuthority(folder, now)
  const server: Subject = { type: 'server', commonName: 'weir-apiserver', names }
  return {
    authority: authority.certificate,
    server: await ensureCertificate(folder, 'server', authority, server, now),
    admin: await ensureCertificate(folder, 'admin', authority, admin, now),
  }
}

async function ensureAuthority(folder: string, now: Date): Promise<KeyPair> {
  const { certificate, key } = await readPair(folder, 'ca')
  if (certificate !== undefined && key === undefined) throw new Error(`${join(folder, 'ca.key')} is missing. ${wayOut}`)
  if (certificate !== undefined && key !== undefined) {
    if (!belongTogether(certificate, key))
      throw new Error(`${join(folder, 'ca.key')} is not the key of ca.crt. ${wayOut}`)
    if (daysLeft(certificate, now) >= renewalDays.authority) return { certificate, key }
  }
  const { issueAuthority } = await import('../../runtime/certificates/issue.ts')
  const issued = await issueAuthority('weir-ca', { now, days: authorityDays }, key)
  await writePair(folder, 'ca', issued)
  return issued
}

const wayOut = 'Restore it, or remove the folder to begin anew: every kubeconfig written before stops working then.'

async function ensureCertificate(
  folder: string,
  name: string,
  authority: KeyPair,
  subject: Subject,
  now: Date,
): Promise<KeyPair> {
  const { certificate, key } = await readPair(folder, name)
  if (certificate !== undefined && key !== undefined && isGood({ certificate, key }, authority, subject, now)) {
    return { certificate, key }
  }
  const { issueCertificate } = await import('../../runtime/certificates/issue.ts')
  const issued = await issueCertificate(authority, subject, { now, days: certificateDays })
  await writePair(folder, name, issued)
  return issued
}

function isGood(pair: KeyPair, authority: KeyPair, subject: Subject, now: Date): boolean {
  if (!belongTogether(pair.certificate, pair.key) || daysLeft(pair.certificate, now) < renewalDays.certificate)
    return false
  const certificate = new X509Certificate(pair.certificate)
  const issuer = new X509Certificate(authority.certificate)
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false
  if (subject.type === 'client') return true
  return subject.names.every(
    (name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined,
  )
}

/** Also false where one of the two is not what it should be. */
function belongTogether(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

/** Days until a certificate expires; none where it is not valid yet. */
function daysLeft(pem: string, now: Date): number {
  const { validFromDate, validToDate } = new X509Certificate(pem)
  return validFromDate > now ? 0 : (validToDate.getTime() - now.getTime()) / (24 * 60 * 60 * 1000)
}

async function readPair(folder: string, name: string): Promise<Partial<KeyPair>> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(folder, `${name}.crt`)),
    readIfThere(join(folder, `${name}.key`)),
  ])
  return { ...(certificate !== undefined && { certificate }), ...(key !== undefined && { key }) }
}

/** The key first: a key alone is completed at the next start, a certificate alone is of no use. */
async function writePair(folder: string, name: string, { certificate, key }: KeyPair): Promise<void> {
  await writeFileAtomic(join(folder, `${name}.key`), key, 0o600)
  await writeFileAtomic(join(folder, `${name}.crt`), certificate, 0o644)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
