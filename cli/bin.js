#!/usr/bin/env node
// Finds a Node that runs Weir (24 or later) and runs it. Plain JavaScript that any Node since 18 understands. What only an older Node needs
// is only loaded by one: this file is on the way of every command.
import { existsSync } from 'node:fs'

// As published, everything is in a few files; in a checkout Node runs the sources.
const built = new URL('../dist/program/main.js', import.meta.url)
const entry = existsSync(built) ? built : new URL('./main.ts', import.meta.url)

if (Number(process.versions.node.split('.')[0]) >= 24) await import(entry.href)
else await runWithNewerNode()

async function runWithNewerNode() {
  const { fileURLToPath } = await import('node:url')
  const node = await newerNode()
  if (node === undefined) {
    console.error(
      `error: weir needs Node 24 or later; this is ${process.version}. Run \`npm install\` again with optional packages, or use a newer Node.`,
    )
    process.exit(2)
  }
  const args = [fileURLToPath(entry), ...process.argv.slice(2)]
  const [{ spawn }, { constants }] = await Promise.all([import('node:child_process'), import('node:os')])
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`error: cannot run ${node}: ${error.message}`)
    process.exit(2)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}

/** The Node that came with Weir as a package of this platform. */
async function newerNode() {
  const [{ createRequire }, { dirname, join }] = await Promise.all([import('node:module'), import('node:path')])
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
