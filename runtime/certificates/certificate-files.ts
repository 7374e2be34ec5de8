import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { type Clock, systemClock } from '../clock.ts'
import { type Log, silentLog } from '../log.ts'

/** How often the files are read. Volumes of Secrets change behind symbolic links, of which no file system event tells reliably. */
const LOOK_MS = 10_000

/** What a TLS server shows, as PEM: the certificate with its chain, and its key. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateFilesOptions {
  readonly certPath: string
  readonly keyPath: string
  readonly clock?: Clock
  readonly log?: Log
}

/**
 * A server's certificate and key in files that somebody else renews, such as cert-manager by a Secret volume. Only a pair that belongs together
 * is ever given out: while one file is new and the other old, what was read before stays.
 */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions
  readonly #clock: Clock
  readonly #log: Log
  #current: ServerCertificate
  #expiresAt: Date
  #problem: string | undefined
  #cancel: () => void = () => {}
  #closed = false

  private constructor(options: CertificateFilesOptions, current: ServerCertificate) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#current = current
    this.#expiresAt = checked(current)
  }

  /** Throws where a file cannot be read, is no PEM, or certificate and key do not belong together. */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    return new CertificateFiles(options, await readPair(options))
  }

  get current(): ServerCertificate {
    return this.#current
  }

  /** When the certificate that is in use runs out. */
  get expiresAt(): Date {
    return this.#expiresAt
  }

  /** Has `use` told of every new pair, until it is closed. */
  follow(use: (pair: ServerCertificate) => void): void {
    const later = () => {
      if (this.#closed) return
      this.#cancel = this.#clock.after(LOOK_MS, () => {
        void this.#look(use).then(later)
      })
    }
    later()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  /** Never rejects: a server goes on with what it has. */
  async #look(use: (pair: ServerCertificate) => void): Promise<void> {
    try {
      const pair = await readPair(this.#options)
      if (pair.cert === this.#current.cert && pair.key === this.#current.key) return
      const expiresAt = checked(pair)
      use(pair)
      this.#current = pair
      this.#expiresAt = expiresAt
      this.#problem = undefined
      this.#log.info({ expiresAt }, 'the certificate has been renewed')
    } catch (err) {
      // Said once: it is looked at again and again.
      const problem = (err as Error).message
      if (problem !== this.#problem) this.#log.warn({ err }, 'the new certificate cannot be used; the old one stays')
      this.#problem = problem
    }
  }
}

async function readPair({ certPath, keyPath }: CertificateFilesOptions): Promise<ServerCertificate> {
  const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')])
  return { cert, key }
}

/** When it runs out. Throws where it is none, or the key is that of another one. */
function checked({ cert, key }: ServerCertificate): Date {
  createSecureContext({ cert, key })
  return new X509Certificate(cert).validToDate
}
