import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const cache = join(root, 'node_modules/.cache/weir-program')
/** What the program is made of. */
const SOURCES = [
  'agent',
  'apiserver',
  'cli',
  'controllers',
  'crds',
  'gateway',
  'reconcilers',
  'runtime',
  'scripts',
  'steering',
]
/** What it reads beside itself, as the package has it. */
const BESIDE = ['charts', 'cli', 'crds', 'examples', 'package.json']
/** How long to wait for another worker that builds the same, and after how long a build is nobody's any more. */
const PATIENCE_MS = 60_000
const KEPT_MS = 3_600_000

let built: string | undefined

/**
 * The program's file, as `npm run build` makes it: what users run, and a third of the time that the sources take to start. Made when it is first
 * asked for, and again when a source has changed since. `WEIR_TEST_SOURCES=1` gives the sources themselves, for stack traces with lines.
 */
export function programFile(): string {
  built ??= process.env.WEIR_TEST_SOURCES ? join(root, 'cli/main.ts') : join(build(), 'dist/program/main.js')
  return built
}

function build(): string {
  const folder = join(cache, fingerprint())
  const lock = `${folder}.lock`
  const end = Date.now() + PATIENCE_MS
  while (!existsSync(folder)) {
    if (!take(lock)) {
      if (Date.now() > end) rmSync(lock, { recursive: true, force: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
      continue
    }
    try {
      if (!existsSync(folder)) make(folder)
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
  return folder
}

/** Whether it is this process that builds. */
function take(lock: string): boolean {
  mkdirSync(cache, { recursive: true })
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

function make(folder: string): void {
  for (const old of readdirSync(cache)) {
    const path = join(cache, old)
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() }
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true })
  }
  const made = `${folder}.${process.pid}`
  mkdirSync(join(made, 'dist'), { recursive: true })
  for (const name of BESIDE) symlinkSync(join(root, name), join(made, name))
  execFileSync(process.execPath, ['scripts/bundle.ts', join(made, 'dist/program')], { cwd: root, stdio: 'pipe' })
  renameSync(made, folder)
}

/** Changes with every change of a source, and of what was installed. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const add = (path: string) => {
    const { mtimeMs, size } = statSync(path)
    hash.update(`${path} ${mtimeMs} ${size}\n`)
  }
  for (const folder of SOURCES.filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && /\.(ts|js|json)$/.test(entry.name)) add(join(entry.parentPath, entry.name))
    }
  }
  add(join(root, 'package-lock.json'))
  return hash.digest('hex').slice(0, 16)
}
