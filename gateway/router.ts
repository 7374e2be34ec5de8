import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GatewayContext, Route } from './context.ts'
import { badRequest, HttpProblem, notFound, unavailable } from './http/problem.ts'
import { assignmentRoute } from './routes/assignment.ts'
import { blobsRoute } from './routes/blobs.ts'
import { demandRoute } from './routes/demand.ts'
import { healthRoute, readyRoute } from './routes/health.ts'
import { heartbeatRoute } from './routes/heartbeat.ts'
import { inventoryRoute } from './routes/inventory.ts'
import { sourcesRoute } from './routes/sources.ts'
import { statusRoute } from './routes/status.ts'

const applianceRoutes: readonly Route[] = [
  assignmentRoute,
  heartbeatRoute,
  statusRoute,
  inventoryRoute,
  sourcesRoute,
  demandRoute,
]
const rootRoutes: readonly Route[] = [blobsRoute, healthRoute, readyRoute]

interface Found {
  readonly route: Route
  readonly appliance: string
  readonly rest: readonly string[]
}

/** Finds a request's route, lets its caller in or not, and answers. Throws HttpProblem. */
export async function answer(gateway: GatewayContext, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [path = '', search = ''] = (req.url ?? '').split('?', 2)
  const { route, appliance, rest } = find(segmentsOf(path))
  letIn(gateway, route, appliance, req.headers.authorization)
  const handle = route.methods[req.method ?? '']
  if (!handle) {
    const allowed = Object.keys(route.methods).join(', ')
    throw new HttpProblem(405, 'MethodNotAllowed', `${req.method} is not allowed here`, { Allow: allowed })
  }
  await handle({ gateway, req, res, query: new URLSearchParams(search), appliance, rest })
}

function letIn({ fleet, tokens }: GatewayContext, { opens }: Route, appliance: string, authorization?: string): void {
  if (opens === 'everybody') return
  if (!fleet.synced) throw unavailable('the fleet has not been read yet', 1)
  if (opens === 'any-appliance') {
    tokens.authenticate(authorization)
    return
  }
  tokens.authorize(authorization, appliance)
  // Its Secret outlives an appliance for a moment.
  if (!fleet.appliances.get(appliance)) throw notFound(`appliance ${appliance} does not exist`)
}

function find(segments: readonly string[]): Found {
  const [version, kind, namespace, name, ...below] = segments
  const inAppliance = version === 'v1' && kind === 'appliances' && namespace !== undefined && name !== undefined
  const [routes, path] = inAppliance ? [applianceRoutes, below] : [rootRoutes, segments]
  const route = routes.find(
    (candidate) =>
      path.length === candidate.path.length + candidate.restLength &&
      candidate.path.every((part, i) => part === path[i]),
  )
  if (!route) throw notFound('no such path')
  return { route, appliance: inAppliance ? `${namespace}/${name}` : '', rest: path.slice(route.path.length) }
}

function segmentsOf(path: string): string[] {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    throw badRequest('the path is not well encoded')
  }
}
