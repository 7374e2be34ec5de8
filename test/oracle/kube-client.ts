import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { parse } from 'yaml'
import type { JsonValue } from '../../crds/metadata.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: JsonValue | undefined
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[]
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[]
}

/** A plain client of the server that a kubeconfig names: what a test sends is what goes over the wire. */
export class KubeClient {
  readonly #server: URL
  readonly #agent: Agent
  readonly #token: string | undefined

  constructor(kubeconfig: string) {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
    const cluster = config.clusters[0]?.cluster ?? {}
    const user = config.users[0]?.user ?? {}
    this.#server = new URL(cluster.server ?? '')
    this.#token = user.token
    const file = (where: Readonly<Record<string, string>>, name: string): Buffer | undefined => {
      const data = where[`${name}-data`]
      if (data) return Buffer.from(data, 'base64')
      return where[name] ? readFileSync(where[name]) : undefined
    }
    this.#agent = new Agent({
      keepAlive: true,
      ca: file(cluster, 'certificate-authority'),
      cert: file(user, 'client-certificate'),
      key: file(user, 'client-key'),
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  send(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const data = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#server),
        {
          method,
          agent: this.#agent,
          headers: {
            accept: 'application/json',
            ...(data !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(data),
            }),
            ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, body: parseJson(text) })
          })
        },
      )
      sent.on('error', reject)
      sent.end(data)
    })
  }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}
