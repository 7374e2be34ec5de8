import { startAgent } from '../../agent/main.ts'

// An agent as a process of its own; prints its URL.
//   node bench/fill/agent.ts GATEWAY_URL ROOT

const [gatewayUrl = '', root = ''] = process.argv.slice(2)
const appliance = { namespace: 'isp', name: 'a' }
const tuning = { statusIntervalMs: 100, reserveBytes: 0 }
const agent = await startAgent({ gatewayUrl, appliance, token: 'secret', root, tuning })
console.log(agent.url)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.((user + system) / 1e6)
})
