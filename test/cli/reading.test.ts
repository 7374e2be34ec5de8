import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { configMaps } from '../../runtime/client/resource.ts'
import { Folder, startTestServer, type TestServer, weir } from './harness.ts'

jest.setTimeout(120_000)

// What whoever reads must be able to rely on, asked of the real program against a real server.

let server: TestServer
const folder = new Folder()
beforeAll(async () => {
  server = await startTestServer()
  await server.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'esc', namespace: 'default', labels: { own: '' } },
    data: { text: '\u001b[31mred\u0007' },
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const ESCAPE = '\u001b'

test.concurrent('a flag without its argument exits 2', async () => {
  const { code, stdout, stderr } = await weir(['get', 'sites', '--namespace'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/--namespace <name>' argument missing/)
})

test.concurrent('nobody there: exit 3, and one sentence that says which server was tried', async () => {
  const { code, stdout, stderr } = await weir([
    'get',
    'sites',
    '--server=https://127.0.0.1:9',
    '--kubeconfig=/dev/null',
  ])
  expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 3, stdout: '', lines: 1 })
  expect(stderr).toContain('cannot reach https://127.0.0.1:9')
})

test.concurrent('a kind, or a verb, that is nearly one: what was meant', async () => {
  const [kind, verb] = await Promise.all([server.weir(['get', 'aplliances']), weir(['decsribe', 'site'])])
  expect([kind.code, verb.code]).toEqual([2, 2])
  expect(kind.stderr).toContain('did you mean "appliances"?')
  expect(verb.stderr).toMatch(/Did you mean describe\?/)
})

test.concurrent('escape sequences in cells are shown, and none is sent, whatever the output and the environment', async () => {
  const formats = [[], ['-o', 'wide'], ['-o', 'custom-columns=T:.data.text'], ['-o', 'json'], ['-o', 'yaml']]
  const runs = formats.map((format) =>
    server.weir(['get', 'cm', '-l', 'own', ...format], { env: { FORCE_COLOR: '1' } }),
  )
  const results = await Promise.all([...runs, server.weir(['describe', 'cm', 'esc'])])
  for (const { code, stdout, stderr } of results)
    expect({ code, has: (stdout + stderr).includes(ESCAPE) }).toEqual({ code: 0, has: false })
  expect(results[2]!.stdout).toContain('^[[31mred')
})

test.concurrent('JSON on stdout parses alone, also when some of what was asked for is missing', async () => {
  const { code, stdout, stderr } = await server.weir(['get', 'cm', 'esc', 'nope', '-o', 'json'])
  expect(code).toBe(3)
  expect((JSON.parse(stdout) as { items: unknown[] }).items).toHaveLength(1)
  expect(stderr).toBe('Error from server (NotFound): configmaps "nope" not found\n')
})

test.concurrent('Go templates are refused, with something to use instead that works', async () => {
  const { code, stdout, stderr } = await server.weir(['get', 'cm', '-l', 'own', '-o', 'go-template={{.kind}}'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  const [, path, columns] = /\(-o jsonpath='([^']+)'\).*\(-o custom-columns=(\S+)\)/.exec(stderr)!
  const [lines, table] = await Promise.all(
    [`jsonpath=${path}`, `custom-columns=${columns}`].map((as) => server.weir(['get', 'cm', '-l', 'own', '-o', as])),
  )
  expect(lines!.stdout).toMatch(/^esc$/m)
  expect(table!.stdout).toMatch(/^NAME +SITE\n(.*\n)*esc +<none>$/m)
})

test.concurrent('of two kubeconfigs the first wins', async () => {
  const text = (server: string) =>
    `{clusters: [{name: c, cluster: {server: "${server}"}}], contexts: [{name: x, context: {cluster: c}}], current-context: x}`
  const [one, two] = [folder.file('one', text('http://127.0.0.1:9')), folder.file('two', text('http://127.0.0.1:10'))]
  const { code, stderr } = await weir(['version'], { env: { KUBECONFIG: `${one}:${two}` } })
  expect(code).toBe(3)
  expect(stderr).toContain('http://127.0.0.1:9')
})
