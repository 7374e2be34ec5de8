import { mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import packageJson from '../../package.json' with { type: 'json' }
import { Folder, kubectl, program, startTestServer, type TestServer } from './harness.ts'

jest.setTimeout(120_000)

const withKubectl = kubectl ? describe : describe.skip

// The package's programs, linked into a folder of the PATH as npm links them.
withKubectl('kubectl weir', () => {
  const folder = new Folder()
  let server: TestServer
  beforeAll(async () => {
    const bin = join(folder.path, 'bin')
    mkdirSync(bin)
    for (const [name, file] of Object.entries(packageJson.bin))
      symlinkSync(join(import.meta.dirname, '../..', file), join(bin, name))
    symlinkSync(kubectl!, join(bin, 'kubectl'))
    server = await startTestServer()
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const run = (...args: string[]) =>
    program(kubectl!, args, {
      env: {
        PATH: [join(folder.path, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
        KUBECONFIG: server.kubeconfig,
      },
    })

  test('runs verbs, with their flags, output and exit codes', async () => {
    expect(await run('weir', 'get', 'ns', 'default', '-o', 'name')).toEqual({
      code: 0,
      stdout: 'namespace/default\n',
      stderr: '',
    })
    expect(await run('weir', 'get', 'stes')).toMatchObject({ code: 2, stderr: expect.stringContaining('"sites"?') })
  })

  test('is listed among the plugins, without a complaint', async () => {
    const { code, stdout, stderr } = await run('plugin', 'list', '--name-only')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toContain('kubectl-weir')
  })

  test.each<[string, string[], RegExp]>([
    ['verbs', ['des'], /^describe\t.*\n:4\n/],
    ['flags', ['get', '--all'], /^--all-namespaces\t.*\n:4\n/],
    ['types', ['get', 'applian'], /^appliances\t.*\n:4\n/],
    ['names', ['get', 'ns', 'defau'], /^default\n:4\n/],
  ])('completes %s', async (_what, words, expected) => {
    let got = await run('__complete', 'weir', ...words)
    // A server that takes longer than a person waits for is left out; that person presses the key again.
    for (const end = Date.now() + 30_000; !expected.test(got.stdout) && Date.now() < end; )
      got = await run('__complete', 'weir', ...words)
    const { code, stdout } = got
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(expected) })
  })
})
