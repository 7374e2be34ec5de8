import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { unauthorized } from '../api-error.ts'
import { anonymous, type User } from './user.ts'

/** Finds out who sends a request: by client certificate, then by bearer token; anonymous without either. */
export class Authenticator {
  /** By SHA-256 of the token: looking one up takes as long whatever it starts with. */
  readonly #tokens = new Map<string, User>()
  /** A connection's certificate says the same for all of its requests. */
  readonly #certificates = new WeakMap<TLSSocket, User | 'none' | 'invalid'>()

  constructor(tokens: ReadonlyMap<string, User>) {
    for (const [token, user] of tokens) this.#tokens.set(digest(token), user)
  }

  /** Throws 401 where credentials are given that are not good. */
  authenticate(req: IncomingMessage): User {
    const byCertificate = this.#byCertificate(req)
    if (byCertificate !== 'none' && byCertificate !== 'invalid') return byCertificate
    const header = req.headers.authorization
    if (header === undefined) {
      if (byCertificate === 'invalid') throw unauthorized()
      return anonymous
    }
    const user = this.token(/^bearer +(\S+)\s*$/i.exec(header)?.[1] ?? '')
    if (!user) throw unauthorized()
    return user
  }

  /** Who a token belongs to. */
  token(token: string): User | undefined {
    return token === '' ? undefined : this.#tokens.get(digest(token))
  }

  #byCertificate({ socket }: IncomingMessage): User | 'none' | 'invalid' {
    if (!(socket instanceof TLSSocket)) return 'none'
    let user = this.#certificates.get(socket)
    if (user === undefined) {
      user = readCertificate(socket)
      this.#certificates.set(socket, user)
    }
    return user
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

/** The user is the certificate's common name, its groups are the organisations. */
function readCertificate(socket: TLSSocket): User | 'none' | 'invalid' {
  const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string | string[]; O?: string | string[] } }
  if (!subject) return 'none'
  const name = Array.isArray(subject.CN) ? subject.CN[0] : subject.CN
  if (!socket.authorized || !name) return 'invalid'
  const organisations = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O]
  return { name, groups: [...organisations, 'system:authenticated'] }
}
