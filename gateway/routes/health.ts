import type { Route } from '../context.ts'
import { HttpProblem, unavailable } from '../http/problem.ts'
import { sendJson } from '../http/reply.ts'

/** `GET /healthz`: nothing is wrong that a restart would help with. */
export const healthRoute: Route = {
  path: ['healthz'],
  restLength: 0,
  opens: 'everybody',
  methods: {
    GET({ gateway, res }) {
      const wrong = Object.entries(gateway.health()).flatMap(([what, problem]) =>
        problem ? `${what}: ${problem}` : [],
      )
      if (wrong.length > 0) throw new HttpProblem(500, 'Unhealthy', wrong.join('; '))
      sendJson(res, 200, { status: 'ok' })
    },
  },
}

/** `GET /readyz`: it has read the fleet, so that it can tell who may come in. */
export const readyRoute: Route = {
  path: ['readyz'],
  restLength: 0,
  opens: 'everybody',
  methods: {
    GET({ gateway, res }) {
      if (!gateway.fleet.synced) throw unavailable('the fleet has not been read yet', 1)
      sendJson(res, 200, { status: 'ok' })
    },
  },
}
