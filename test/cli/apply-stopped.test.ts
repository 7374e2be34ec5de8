import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import type { SummaryEvent } from '../../cli/apply/events.ts'
import { configMaps } from '../../runtime/client/resource.ts'
import { ApiProxy } from '../kube/api-proxy.ts'
import { finished, start, weir, written } from './harness.ts'
import { suite } from './suite.ts'

jest.setTimeout(120_000)

const here = suite()
const { folder } = here

/** More than are under way at once and the ten that are let through, so that some are not begun however slow the answers are. */
const COUNT = 60

function manifests(prefix: string): string {
  const objects = Array.from(
    { length: COUNT },
    (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${prefix}-${i}, namespace: default}\ndata: {a: "1"}\n`,
  )
  return folder.file(`${prefix}.yaml`, objects.join('---\n'))
}

async function there(prefix: string): Promise<string[]> {
  const { items } = await here.server.client.list(configMaps, { namespace: 'default' })
  return items.map(({ metadata }) => metadata.name!).filter((name) => name.startsWith(`${prefix}-`))
}

const names = (text: string, what: string) =>
  [...(new RegExp(`^${what}: (.*)$`, 'm').exec(text)?.[1] ?? '').matchAll(/configmap\/([\w-]+)/g)].map(([, n]) => n!)

test('SIGINT in mid-wave: nothing more is sent, what is under way is waited for, both are listed, 130; a rerun converges', async () => {
  const file = manifests('mid')
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const begun = Promise.withResolvers<void>()
  proxy.fault = ({ verb, dryRun }) => {
    if (verb !== 'patch' || dryRun) return undefined
    begun.resolve()
    return { type: 'delay', ms: 400 }
  }
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'slow')) }
  const child = start(['apply', '-f', file, '--no-wait'], { env })
  const result = finished(child)
  await begun.promise
  child.kill('SIGINT')
  const { code, stdout, stderr } = await result
  expect(code).toBe(130)
  expect(stderr).toMatch(/^interrupted\n/)
  expect(stderr).toMatch(/^Running the same command again goes on from here\.$/m)
  const [applied, pending] = [names(stderr, 'applied'), names(stderr, 'not applied')]
  expect(applied.length).toBeGreaterThan(0)
  expect(pending.length).toBeGreaterThan(0)
  expect(applied.length + pending.length).toBe(COUNT)
  expect((await there('mid')).sort()).toEqual([...applied].sort())
  expect(stdout.match(/configmap\/mid-\d+ created/g) ?? []).toHaveLength(applied.length)

  const again = await here.server.weir(['apply', '-f', file, '--no-wait'])
  expect(again.code).toBe(0)
  expect(again.stdout.match(/ created$/gm)).toHaveLength(pending.length)
  expect(await there('mid')).toHaveLength(COUNT)
})

test('a server that goes away half-way: exit 3, with what was done, what not, and what nobody knows', async () => {
  const file = manifests('half')
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  let sent = 0
  proxy.fault = ({ verb, dryRun }) => {
    if (verb !== 'patch' || dryRun) return undefined
    return ++sent > 10 ? { type: 'break' } : undefined
  }
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'dying')) }
  const { code, stdout, stderr } = await weir(['apply', '-f', file, '-o', 'json'], { env })
  expect(code).toBe(3)
  const summary = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SummaryEvent)
    .at(-1)!
  expect(summary).toMatchObject({ type: 'summary', exitCode: 3, configured: 0 })
  const [pending, unknown] = [summary.pending, summary.unknown].map((refs) => refs.map(({ name }) => name))
  expect(unknown!.length).toBeGreaterThan(0)
  expect(pending!.length).toBeGreaterThan(0)
  expect(summary.created + pending!.length + unknown!.length).toBe(COUNT)
  expect(names(stderr, 'not applied')).toEqual(pending)
  expect(names(stderr, 'sent, but not answered \\(it may have been applied\\)')).toEqual(unknown)
  expect(stderr).toMatch(/error: lost the connection to http:\/\/127\.0\.0\.1:\d+/)
  // What the proxy broke off never came to the server.
  expect(await there('half')).toHaveLength(summary.created)
  expect((await here.server.weir(['apply', '-f', file])).code).toBe(0)
  expect(await there('half')).toHaveLength(COUNT)
})

// util-linux' script gives a program a terminal; BSD's has other flags.
const terminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')
const onTerminal = terminal ? test : test.skip

onTerminal.each([
  ['y', 0, 'yes'],
  ['n', 130, 'no'],
  ['\u0003', 130, 'Ctrl-C'],
])('on a terminal it shows what it is about to do and asks: %j is %d (%s)', async (answer, expected, what) => {
  const name = `asked-${what.toLowerCase()}`
  const file = folder.file(`${name}.yaml`, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`)
  const main = join(import.meta.dirname, '../../cli/main.ts')
  const command = `${process.execPath} ${main} apply -f ${file}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder.path,
    env: { PATH: process.env.PATH, HOME: folder.path, KUBECONFIG: here.server.kubeconfig, TERM: 'dumb' },
  })
  const result = finished(child)
  const asked = await written(child, 'stdout', /Apply this\? \[y\/N\] /)
  expect(asked.replaceAll('\r', '')).toBe(`+ configmap/${name} in default  ${file}:1\n1 to create\nApply this? [y/N] `)
  child.stdin.write(answer === '\u0003' ? answer : `${answer}\n`)
  expect((await result).code).toBe(expected)
  expect(await there('asked')).toEqual(expected === 0 ? [name] : expect.not.arrayContaining([name]))
})
