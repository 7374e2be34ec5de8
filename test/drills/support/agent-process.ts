import { nodeFileIo } from '../../../agent/file-io.ts'
import { startAgent } from '../../../agent/main.ts'

// An agent as a process of its own, to be killed.
//   node test/drills/support/agent-process.ts GATEWAY_URL NAMESPACE/NAME ROOT

const [gatewayUrl = '', appliance = '', root = ''] = process.argv.slice(2)
const [namespace = '', name = ''] = appliance.split('/')
const agent = await startAgent({
  gatewayUrl,
  appliance: { namespace, name },
  token: 'secret',
  root,
  fileIo: nodeFileIo,
  tuning: {
    statusIntervalMs: 50,
    commitIntervalMs: 50,
    inventoryIntervalMs: 50,
    reconnectBaseMs: 20,
    reconnectCapMs: 200,
    unreachableBaseMs: 20,
    retryBaseMs: 20,
    reserveBytes: 0,
  },
})
console.log(agent.url)
