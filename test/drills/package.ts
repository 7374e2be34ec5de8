import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Packs Weir as `npm publish` would, installs the package in a project of its own, and uses it there: the program, the builders and their types, the
// schemas. Needs npm's registry, or its cache, for the libraries that Weir uses.
//   node test/drills/package.ts

export interface PackageDrillResult {
  readonly packedBytes: number
  readonly files: number
  /** From `weir --help` to its end, in ms: the least of some. */
  readonly helpMs: number
  /** What is wrong; empty where all is well. */
  readonly wrongs: readonly string[]
}

const root = join(import.meta.dirname, '../..')
/** Nodes older than 24 hand over; here all of it is to run on this one. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }

export function drillPackage(): PackageDrillResult {
  const folder = mkdtempSync(join(tmpdir(), 'weir-package-'))
  try {
    const tarball = pack(join(folder, 'source'))
    const project = join(folder, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{"name":"fleet","private":true,"type":"module"}')
    run(
      project,
      'npm',
      'install',
      '--ignore-scripts',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      tarball.path,
    )
    const wrongs = [...contents(join(project, 'node_modules/weir')), ...use(project)]
    return { packedBytes: tarball.bytes, files: tarball.files, helpMs: helpMs(project), wrongs }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Packs what git knows, in a copy: a build in the checkout would be what its `weir` runs from then on. */
function pack(source: string): { readonly path: string; readonly bytes: number; readonly files: number } {
  for (const file of run(root, 'git', 'ls-files', '-z').split('\0')) {
    if (file !== '') cpSync(join(root, file), join(source, file))
  }
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
  // What the build says stands before the name.
  const path = join(source, run(source, 'npm', 'pack', '--silent').trim().split('\n').at(-1)!)
  const files = run(source, 'tar', '-tzf', path).trim().split('\n').length
  return { path, bytes: statSync(path).size, files }
}

function contents(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  // Node does not run TypeScript that is in node_modules.
  const odd = files.filter((file) => /(?<!\.d)\.ts$/.test(file) || /^(dist\/)?(test|bench|scripts)(\/|$)/.test(file))
  const needed = [
    'cli/init/template/gitignore',
    'crds/schemas/weir.json',
    'crds/fleet.weir.dev_sites.yaml',
    'examples/quickstart/10-fleet.yaml',
    'dist/cli/library.d.ts',
  ]
  return [
    ...odd.slice(0, 5).map((file) => `the package has ${file}`),
    ...needed.filter((file) => !files.includes(file)).map((file) => `the package has no ${file}`),
  ]
}

function use(project: string): string[] {
  const wrongs: string[] = []
  const expect = (what: string, holds: boolean) => {
    if (!holds) wrongs.push(what)
  }
  const weir = (...args: string[]) => run(project, process.execPath, 'node_modules/weir/cli/bin.js', ...args)

  expect('weir version says another version', weir('version', '--client').includes(packageVersion()))
  expect('weir explain does not know sites', weir('explain', 'site.spec.metro').includes('FIELD: metro'))
  expect(
    'weir new does not name the installed schema',
    weir('new', 'site', 'a', '--examples', '-o', 'sites/').length === 0,
  )
  const [line] = readFileSync(join(project, 'sites/a.yaml'), 'utf8').split('\n')
  expect(
    `weir new names ${line}`,
    line!.endsWith('=../node_modules/weir/crds/schemas/fleet.weir.dev/site_v1alpha1.json'),
  )
  weir('validate', '-f', 'sites/a.yaml')
  expect('weir init writes no pipeline', weir('init', 'fleet').includes('.github/workflows/weir.yaml\n'))
  expect(
    'weir schema prints another schema',
    weir('schema', 'site') === readFileSync(join(root, 'crds/schemas/fleet.weir.dev/site_v1alpha1.json'), 'utf8'),
  )

  // A user's TypeScript, by the package's own types, run as Node runs it.
  for (const file of ['right.ts', 'wrong.ts']) cpSync(join(root, 'test/cli/library', file), join(project, file))
  const compilerOptions = {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['right.ts', 'wrong.ts'] }))
  try {
    run(project, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.')
  } catch (error) {
    wrongs.push(`it does not compile: ${(error as { stdout: string }).stdout}`)
  }
  writeFileSync(join(project, 'fleet.yaml'), run(project, process.execPath, 'right.ts'))
  weir('validate', '-f', 'fleet.yaml')
  const schema = "import s from 'weir/schemas/weir.json' with { type: 'json' }; console.log(s.title)"
  expect(
    'weir/schemas/… cannot be imported',
    run(project, process.execPath, '--input-type=module', '-e', schema) === 'Weir\n',
  )
  return wrongs
}

const packageVersion = () =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

function helpMs(project: string): number {
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now()
    run(project, process.execPath, 'node_modules/weir/cli/bin.js', '--help')
    return performance.now() - started
  })
  return Math.round(Math.min(...times))
}

/** Runs a program to its end; gives what it wrote on stdout. Throws where it ends with another code than 0. */
function run(cwd: string, program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { packedBytes, files, helpMs: help, wrongs } = drillPackage()
  console.log(`${files} files, ${(packedBytes / 1e6).toFixed(1)} MB packed; installed, weir --help takes ${help} ms`)
  for (const wrong of wrongs) console.error(wrong)
  process.exitCode = wrongs.length > 0 ? 1 : 0
}
