import type { Route } from '../context.ts'
import { notFound } from '../http/problem.ts'
import { sendJson } from '../http/reply.ts'
import { assignmentMessage } from '../streams.ts'

/** `GET …/assignment`: what the appliance is to do, once, or with `?watch=true` at once and on every change. */
export const assignmentRoute: Route = {
  path: ['assignment'],
  restLength: 0,
  opens: 'appliance',
  methods: {
    GET({ gateway, res, query, appliance }) {
      const assignment = gateway.fleet.assignments.get(appliance)
      if (query.get('watch') !== 'true') {
        if (!assignment) throw notFound(`appliance ${appliance} has no assignment yet`)
        sendJson(res, 200, assignmentMessage(assignment))
        return
      }
      res.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' })
      res.flushHeaders()
      gateway.streams.open(appliance, res, assignment)
    },
  },
}
