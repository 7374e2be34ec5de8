import { spawn, spawnSync } from 'node:child_process'
import { describe, expect, jest, test } from '@jest/globals'
import { programFile } from '../support/built-program.ts'
import { finished } from './harness.ts'
import { suite } from './suite.ts'

jest.setTimeout(120_000)

const here = suite()
const { folder } = here

const ESCAPE = '\u001b'
// util-linux' script gives a program a terminal; BSD's has other flags.
const hasTerminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')

/** Everything that verbs write that might be coloured or redrawn, with stdout and stderr as one stream. */
function script(): string {
  const good = folder.file(
    'site.yaml',
    'apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: s}\nspec: {country: DE, metro: x}\n',
  )
  const bad = folder.file(
    'bad.yaml',
    'apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: s}\nspec: {contry: DE}\n',
  )
  const weir = `${process.execPath} ${programFile()}`
  const list = folder.file('list.ndjson', '')
  return [
    `${weir} diff -f ${good}`,
    `${weir} plan -f ${good}`,
    `${weir} validate -f ${bad}`,
    `${weir} catalog create --from-dir ${folder.path} --url http://127.0.0.1/c --out ${list}`,
    `${weir} get sites nope`,
  ].join('; ')
}

const environment = (env: Record<string, string>) => ({
  PATH: process.env.PATH,
  HOME: folder.path,
  KUBECONFIG: here.server.kubeconfig,
  ...env,
})

const onTerminal = hasTerminal ? describe : describe.skip
onTerminal('on a terminal', () => {
  test.concurrent.each<[string, Record<string, string>, boolean]>([
    ['that can: colours', { TERM: 'xterm' }, true],
    ['that can, with an empty NO_COLOR, which says nothing', { TERM: 'xterm', NO_COLOR: '' }, true],
    ['with NO_COLOR: no escape sequence', { TERM: 'xterm', NO_COLOR: '1' }, false],
    ['that is dumb: no escape sequence', { TERM: 'dumb', FORCE_COLOR: '1' }, false],
  ])('%s', async (_why, env, colours) => {
    const child = spawn('script', ['-qec', script(), '/dev/null'], { cwd: folder.path, env: environment(env) })
    child.stdin.end()
    const { stdout } = await finished(child)
    expect(stdout).toMatch(/\+ {2}name: s\b/)
    expect(stdout).toContain('did you mean "country"?')
    expect(stdout).toContain('sites.fleet.weir.dev "nope" not found')
    expect(stdout.includes(ESCAPE)).toBe(colours)
  })
})

test.concurrent('piped: no escape sequence, whatever the terminal of whoever called it', async () => {
  const child = spawn('sh', ['-c', script()], {
    cwd: folder.path,
    env: environment({ TERM: 'xterm', FORCE_COLOR: '1' }),
  })
  child.stdin.end()
  const { stdout, stderr } = await finished(child)
  expect(stdout).toMatch(/\+ {2}name: s\n/)
  expect((stdout + stderr).includes(ESCAPE)).toBe(false)
})
