import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import type { Io } from '../../../cli/io.ts'
import { run } from '../../../cli/run.ts'
import { appliances } from '../../../controllers/resources.ts'
import type { Appliance } from '../../../crds/types.gen.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { inProcess } from '../in-process.ts'

jest.setTimeout(120_000)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.client.create(appliances, {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: { name: 'fra1-a', namespace: 'default' },
    spec: { siteRef: { name: 'fra1' }, hardwareClassRef: { name: 'any' } },
  } as Appliance)
})
afterAll(async () => server[Symbol.asyncDispose]())

const weir = (...args: string[]) => inProcess(args, { env: { KUBECONFIG: server.kubeconfig } })

test('one table where no terminal is, without anything that moves the cursor', async () => {
  const { code, stdout, stderr } = await weir('top', 'ap')
  expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({ code: 0, stderr: '', lines: 3 })
  expect(stdout).not.toContain('\u001b')
})

test.each<[string, string[], number, RegExp]>([
  ['nothing is there', ['top', 'sites'], 0, /^No resources found in default namespace\.\n$/],
  ['a name that is not there', ['top', 'ap', 'nope'], 3, /appliances "nope" not found/],
  ['not sites or appliances', ['top', 'site5'], 2, /top of what\? sites or appliances; did you mean "sites"\?/],
  ['nobody serves', ['top', 'ap', '--server=https://127.0.0.1:9', '--insecure-skip-tls-verify'], 3, /127\.0\.0\.1:9/],
])('%s', async (_why, args, code, stderr) => {
  expect(await weir(...args)).toEqual({ code, stdout: '', stderr: expect.stringMatching(stderr) })
})

test('on a terminal it is drawn over what was there, until Ctrl-C, which is how one leaves', async () => {
  const interruption = new AbortController()
  const shown: string[] = []
  const io = {
    env: { KUBECONFIG: server.kubeconfig },
    cwd: '/',
    stdin: process.stdin,
    out: async (text: string) => {
      shown.push(text)
      if (shown.length === 1)
        await server.client.patch(
          appliances,
          { namespace: 'default', name: 'fra1-a' },
          { type: 'merge', merge: { status: { phase: 'Offline' } } },
          { subresource: 'status' },
        )
      if (text.includes('Offline')) interruption.abort()
    },
    err: () => {},
    errIsTerminal: true,
    outIsTerminal: true,
    interactive: true,
    columns: () => 60,
    rows: () => 24,
    interrupted: interruption.signal,
    readerGone: new AbortController().signal,
  } satisfies Io
  expect(await run(['top', 'appliances', '--interval=100ms'], io)).toBe(0)
  const [first = '', last = ''] = [shown[0], shown.at(-1)].map((text) => text?.replaceAll('\u001b', '^'))
  expect(first).toMatch(/^\^\[2KNAME/)
  expect(last).toMatch(/^\^\[2A\^\[2KNAME/)
  for (const line of last.replace(/\^\[\w+/g, '').split('\n')) expect([...line].length).toBeLessThan(60)
})
