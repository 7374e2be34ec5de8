import { readRequestCounts } from '../../reconcilers/gateway/request-counts.ts'
import type { Route } from '../context.ts'
import { readJson } from '../http/body.ts'
import { badRequest } from '../http/problem.ts'
import { sendNothing } from '../http/reply.ts'

/** 4,096 files of some 40 digits each, with room. */
const MAX_BYTES = 512 * 1024

/** `PUT …/demand`: what clients asked of the appliance. Answered once it is on disk; sent again, it counts once. */
export const demandRoute: Route = {
  path: ['demand'],
  restLength: 0,
  opens: 'appliance',
  methods: {
    async PUT({ gateway, req, res, appliance }) {
      const counts = read(await readJson(req, MAX_BYTES), gateway.clock.now())
      gateway.heartbeats.heard(appliance)
      await gateway.demand.add(appliance, counts)
      gateway.counters.demandReports++
      sendNothing(res)
    },
  },
}

function read(body: Readonly<Record<string, unknown>>, now: Date) {
  try {
    return readRequestCounts(body, now)
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message)
    throw error
  }
}
