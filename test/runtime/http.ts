import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import type { ClientOptions } from '../../runtime/client/requests.ts'

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly server: Server
}

/** A plain HTTP server on a free port of 127.0.0.1; gone, connections and all, when disposed of. */
export async function startServer(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

export function clientOf(server: string, options: Partial<ClientOptions> = {}): Client {
  return new Client({ access: { server, credentials: fixedCredentials({}) }, ...options })
}

/** Waits until `condition` holds, looking again after every turn of the event loop; throws after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>, what = condition.toString()): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`did not come true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
