import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../runtime/clock.ts'
import { createLog } from '../../runtime/log.ts'
import { Counters } from '../../steering/counters.ts'
import { Api } from '../../steering/http/api.ts'
import { TrustedProxies } from '../../steering/http/client-address.ts'
import { Peers } from '../../steering/http/peers.ts'
import { HTTP_LIMITS, listenHttp } from '../../steering/http/server.ts'
import { randomBits, Steerer } from '../../steering/steerer.ts'
import { siteNetworks } from '../../steering/world/site-networks.ts'
import { benchModel, type FleetSize } from './world.ts'

/** Each appliance is probed so often; those of so long come together. */
const PROBE_MS = 700
const TELL_MS = 7

// A server under load, in a process of its own: steering, or a handler that does nothing but answer.

export type ToServer =
  | { readonly type: 'steering'; readonly fleet: FleetSize }
  | { readonly type: 'bare'; readonly body: string }
  | { readonly type: 'cpu' }

export type FromServer =
  | { readonly type: 'listening'; readonly port: number }
  /** Of this process, since its start, in ms. */
  | { readonly type: 'cpu'; readonly ms: number }

const say = (message: FromServer) => process.send?.(message)

async function steering(fleet: FleetSize): Promise<number> {
  const model = benchModel(fleet)
  const { world } = model
  const map = await siteNetworks(model.objects('Site').values())
  const counters = new Counters()
  // As probes tell it, spread over their time: what was sent there since then counts as load until the next.
  let told = 0
  const tell = () => {
    const { applianceKeys } = world
    for (let i = Math.ceil((applianceKeys.length * TELL_MS) / PROBE_MS); i > 0; i--)
      model.load(applianceKeys[told++ % applianceKeys.length]!, { requests: 3, bytesPerSecond: 2e7 })
  }
  setInterval(tell, TELL_MS)
  const clock = systemClock
  const peers = new Peers(new TrustedProxies([]), 'x-forwarded-for')
  const api = new Api({
    ...{ world, peers, counters, clock, log: createLog({ level: 'warn' }) },
    steerer: new Steerer({ world, clientMap: () => map, random: randomBits(1) }),
    perClient: 1_000_000,
    whyDown: () => undefined,
    onHint: () => {},
    onDecision: () => {},
    health: () => ({}),
    readiness: () => ({}),
  })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await listenHttp({ listen, limits: HTTP_LIMITS, api, peers, corsOrigins: ['*'], clock })
  return Number(new URL(server.url).port)
}

/** What Node's own server can do: the same answer, headers and all, to everybody, the body of a question read as one must. */
async function bare(body: string): Promise<number> {
  const bytes = Buffer.from(body)
  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (req, res) => {
    const answer = () => {
      res.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': bytes.length,
        'Cache-Control': 'no-store',
        'Access-Control-Allow-Origin': '*',
      })
      res.end(bytes)
    }
    if (req.method === 'GET') return answer()
    req.on('data', () => {})
    req.on('end', answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

process.on('message', (message: ToServer) => {
  if (message.type === 'cpu') {
    const { user, system } = process.cpuUsage()
    say({ type: 'cpu', ms: (user + system) / 1000 })
    return
  }
  const port = message.type === 'steering' ? steering(message.fleet) : bare(message.body)
  void port.then((listening) => say({ type: 'listening', port: listening }))
})
process.once('disconnect', () => process.exit())
