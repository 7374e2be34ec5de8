#!/usr/bin/env node
// Finds a Node that runs Weir (24 or later) and runs it. Plain JavaScript that any Node since 18 understands.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const built = join(here, '..', 'dist', 'cli', 'main.js')
const entry = existsSync(built) ? built : join(here, 'main.ts')

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(pathToFileURL(entry).href)
} else {
  const node = newerNode()
  if (node === undefined) {
    console.error(
      `error: weir needs Node 24 or later; this is ${process.version}. Run \`npm install\` again with optional packages, or use a newer Node.`,
    )
    process.exit(2)
  }
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`error: cannot run ${node}: ${error.message}`)
    process.exit(2)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}

/** The Node that came with Weir as a package of this platform. */
function newerNode() {
  const require = createRequire(import.meta.url)
  const program = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  const names = [
    `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ]
  for (const name of names) {
    try {
      const path = join(dirname(require.resolve(`${name}/package.json`)), program)
      if (existsSync(path)) return path
    } catch {
      // Not installed on this platform.
    }
  }
  return undefined
}
