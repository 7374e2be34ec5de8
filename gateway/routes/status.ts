import type { Route } from '../context.ts'
import { readJson } from '../http/body.ts'
import { sendNothing } from '../http/reply.ts'

const MAX_BYTES = 131_072

/** `PUT …/status`: what the agent says of itself. It reaches Appliance.status when it differs, and not too often. */
export const statusRoute: Route = {
  path: ['status'],
  restLength: 0,
  opens: 'appliance',
  methods: {
    async PUT({ gateway, req, res, appliance }) {
      const report = gateway.reportReader.read(await readJson(req, MAX_BYTES))
      gateway.counters.reports++
      gateway.heartbeats.heard(appliance)
      gateway.records.obtain(appliance).report = report
      gateway.reports.changed(appliance)
      sendNothing(res)
    },
  },
}
