import type { Route } from '../context.ts'
import { readJson } from '../http/body.ts'
import { badRequest } from '../http/problem.ts'
import { sendNothing } from '../http/reply.ts'

const MAX_BYTES = 4096

/** `POST …/heartbeat`: the appliance is there. Kept in memory; nothing is written for it. */
export const heartbeatRoute: Route = {
  path: ['heartbeat'],
  restLength: 0,
  opens: 'appliance',
  methods: {
    async POST({ gateway, req, res, appliance }) {
      const { bootId } = await readJson(req, MAX_BYTES)
      if (typeof bootId !== 'string' || bootId === '') throw badRequest('bootId: must be a string')
      gateway.counters.heartbeats++
      gateway.heartbeats.heard(appliance)
      sendNothing(res)
    },
  },
}
