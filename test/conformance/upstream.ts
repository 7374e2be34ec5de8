import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startApiServer } from '../../apiserver/server.ts'

// Starts the embedded API server and runs somebody else's tests against it: COMMAND is given the path of its kubeconfig as last argument.
// Meant for Kubernetes' own end-to-end specs; counts what Ginkgo says and ends with what failed and `N passed, N failed, N skipped`.
//   node test/conformance/upstream.ts COMMAND…

const [command, ...args] = process.argv.slice(2)
if (!command) {
  console.error('usage: node test/conformance/upstream.ts COMMAND…')
  process.exit(2)
}

const dataDir = mkdtempSync(join(tmpdir(), 'weir-upstream-'))
const server = await startApiServer({ dataDir })
let counts: RegExpExecArray | null = null
let code: number | null = 1
const failures = new Set<string>()
try {
  const child = spawn(command, [...args, server.kubeconfigPath], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit') as Promise<[number | null]>
  for await (const line of createInterface({ input: child.stdout })) {
    if (/\[FAIL\]|^Ran \d+ of|^(SUCCESS|FAIL)!/.test(line)) console.log(line)
    const failure = /\[FAIL\] (.*)/.exec(line)?.[1]
    if (failure !== undefined) failures.add(failure)
    counts = /(\d+) Passed \| (\d+) Failed/.exec(line) ?? counts
  }
  ;[code] = await exited
} finally {
  await server.close()
  rmSync(dataDir, { recursive: true, force: true })
}
// A run that ended without a count has failed, whatever it said.
const [passed, failed] = counts ? [Number(counts[1]), Number(counts[2])] : [0, 1]
console.log('--- what failed')
for (const failure of failures) console.log(`FAILED ${failure}`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : 1
