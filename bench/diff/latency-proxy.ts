import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server: TCP on 127.0.0.1, on which every round trip takes `roundTripMs` longer. */
export async function startLatencyProxy(
  server: { readonly host: string; readonly port: number },
  roundTripMs: number,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...server, noDelay: true })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      // Half of it on the way there, half on the way back. Timers of one length run in the order in which they were set.
      from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), roundTripMs / 2))
      from.on('end', () => setTimeout(() => to.end(), roundTripMs / 2))
      from.on('close', () => sockets.delete(from))
      from.on('error', () => to.destroy())
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
