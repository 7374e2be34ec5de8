import 'reflect-metadata'
import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

// Loading this takes a tenth of a second: import it only where something has to be issued.

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** A client whose clock is behind by less than this accepts a new certificate. */
const clockSkewMs = 60 * 60 * 1000

/** A certificate and its private key (PKCS#8), both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface Validity {
  readonly now: Date
  readonly days: number
}

/**
 * A self-signed authority (RFC 5280), ECDSA P-256.
 * @param key The private key of the certificate that this one replaces: those who trust that one trust what this one signs. Absent: a new one.
 */
export async function issueAuthority(commonName: string, validity: Validity, key?: string): Promise<KeyPair> {
  const keys =
    key === undefined ? await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) : importKeys(key)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    ...period(validity),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pem(certificate), key: key ?? (await exportKey(keys.privateKey)) }
}

/** Whom a certificate is for: a server under some DNS names and IP addresses, or a client with a user name and groups. */
export type Subject =
  | { readonly type: 'server'; readonly commonName: string; readonly names: readonly string[] }
  | { readonly type: 'client'; readonly user: string; readonly groups: readonly string[] }

/** A certificate signed by an authority, with a new key. Kubernetes reads the user from CN and the groups from O. */
export async function issueCertificate(authority: KeyPair, subject: Subject, validity: Validity): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const issuer = new x509.X509Certificate(authority.certificate)
  const isServer = subject.type === 'server'
  const certificate = await x509.X509CertificateGenerator.create({
    subject: isServer
      ? [{ CN: [subject.commonName] }]
      : [...subject.groups.map((group) => ({ O: [group] })), { CN: [subject.user] }],
    issuer: issuer.subject,
    ...period(validity),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: importKeys(authority.key).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        isServer ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(isServer ? [new x509.SubjectAlternativeNameExtension(subject.names.map(generalName))] : []),
    ],
  })
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) }
}

function generalName(name: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(name) ? 'ip' : 'dns', value: name }
}

/** X.509 counts in whole seconds. */
function period({ now, days }: Validity): { notBefore: Date; notAfter: Date; serialNumber: string } {
  const serial = crypto.getRandomValues(new Uint8Array(16))
  // Positive and of full length: RFC 5280, 4.1.2.2.
  serial[0] = (serial[0]! & 0x3f) | 0x40
  return {
    serialNumber: Buffer.from(serial).toString('hex'),
    notBefore: new Date(Math.floor((now.getTime() - clockSkewMs) / 1000) * 1000),
    notAfter: new Date(Math.floor(now.getTime() / 1000) * 1000 + days * 24 * 60 * 60 * 1000),
  }
}

/** A key pair of Web Crypto from a private key in PEM. */
function importKeys(pem: string): webcrypto.CryptoKeyPair {
  const key = createPrivateKey(pem)
  const usable = (keyObject: KeyObject, use: 'sign' | 'verify') => keyObject.toCryptoKey(algorithm, true, [use])
  return { privateKey: usable(key, 'sign'), publicKey: usable(createPublicKey(key), 'verify') }
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
