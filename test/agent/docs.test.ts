import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Cleanup, runAgent, TestGateway } from './harness.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/agent.md'), 'utf8')

test('docs/agent.md explains every reason that a file can fail for, and no other', () => {
  const sources = readdirSync(join(root, 'agent'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'agent', name), 'utf8'))
    .join('\n')
  const reasons = [
    ...sources.matchAll(/new FillError\(\s*'(\w+)',\s*'file'/g),
    ...sources.matchAll(/new FillError\(\s*'(StorageError)'/g),
    ...sources.matchAll(/reason: '([A-Z]\w+)'/g),
    ...sources.matchAll(/\.refill\(\w+, '(\w+)'/g),
  ].map(([, reason]) => reason!)
  expect(new Set(reasons).size).toBeGreaterThan(10)
  const explained = [...page.matchAll(/^\| `(\w+)`(?:, `HTTP5…`)? +\|/gm)].map(([, reason]) => reason!)
  expect([...explained].sort()).toEqual([...new Set([...reasons, 'HTTP404'])].sort())
})

test('docs/agent.md names every metric, and no other', async () => {
  const cleanup = new Cleanup()
  try {
    const gateway = await TestGateway.start(cleanup)
    const agent = await runAgent(cleanup, gateway, { root: cleanup.folder() })
    const metrics = await (await fetch(`${agent.url}/metrics`)).text()
    const told = [...metrics.matchAll(/^# TYPE weir_agent_(\w+) /gm)].map(([, name]) => name!)
    const named = [...page.slice(page.indexOf('## Metrics')).matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(
      ([, name]) => name!,
    )
    expect(named.sort()).toEqual(told.sort())
  } finally {
    await cleanup.run()
  }
})
