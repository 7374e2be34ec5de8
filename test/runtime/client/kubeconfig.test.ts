import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { FakeClock } from '../../../runtime/clock.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-kubeconfig-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

function write(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const config = (fields: { cluster?: string; user?: string; current?: string }) => `
apiVersion: v1
kind: Config
clusters:
- {name: c, cluster: {server: "https://one.example:6443/", ${fields.cluster ?? ''}}}
users:
- {name: u, user: {${fields.user ?? ''}}}
contexts:
- {name: x, context: {cluster: c, user: u, namespace: team}}
current-context: ${fields.current ?? 'x'}
`

describe('which server, as whom', () => {
  test('files beside the kubeconfig, data in it, and a namespace', async () => {
    write('pki/ca.crt', 'CA')
    const data = Buffer.from('CERT').toString('base64')
    const path = write(
      'a',
      config({
        cluster: 'certificate-authority: pki/ca.crt',
        user: `client-certificate-data: ${data}, client-key-data: ${data}`,
      }),
    )
    const access = await loadKubeconfig({ path })
    expect(access).toMatchObject({ server: 'https://one.example:6443', ca: 'CA', namespace: 'team' })
    expect(await access.credentials.get()).toEqual({ cert: 'CERT', key: 'CERT' })
  })

  test('of several files the first that says something wins; missing ones are passed over', async () => {
    const first = write(
      'first',
      'clusters:\n- {name: c, cluster: {server: "https://first.example"}}\ncurrent-context: ""\n',
    )
    const second = write('second', config({ user: 'token: t' }))
    const access = await loadKubeconfig({ env: { KUBECONFIG: `${join(dir, 'missing')}:${first}:${second}` } })
    expect(access.server).toBe('https://first.example')
    expect(await access.credentials.get()).toEqual({ authorization: 'Bearer t' })
  })

  test('~/.kube/config is where it looks when nothing is said', async () => {
    write('home/.kube/config', config({ user: 'username: a, password: b' }))
    const access = await loadKubeconfig({ env: {}, home: join(dir, 'home') })
    expect(await access.credentials.get()).toEqual({ authorization: 'Basic YTpi' })
  })

  test('impersonation becomes headers', async () => {
    const path = write('as', config({ user: 'as: jane, as-groups: [dev, ops], as-user-extra: {reason: [because]}' }))
    expect((await (await loadKubeconfig({ path })).credentials.get()).headers).toEqual({
      'Impersonate-User': 'jane',
      'Impersonate-Group': ['dev', 'ops'],
      'Impersonate-Extra-reason': ['because'],
    })
  })

  test('in a pod: the service account, whose token is read again when it has been rotated', async () => {
    const serviceAccountDir = join(dir, 'serviceaccount')
    write('serviceaccount/ca.crt', 'POD CA')
    write('serviceaccount/namespace', 'weir-system')
    write('serviceaccount/token', 'one\n')
    const clock = new FakeClock()
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
    const access = await loadKubeconfig({ env, home: join(dir, 'nobody'), serviceAccountDir, clock })
    expect(access).toMatchObject({ server: 'https://[fd00::1]:443', ca: 'POD CA', namespace: 'weir-system' })
    expect(await access.credentials.get()).toEqual({ authorization: 'Bearer one' })
    write('serviceaccount/token', 'two\n')
    expect(await access.credentials.get()).toEqual({ authorization: 'Bearer one' })
    await clock.advance(61_000)
    expect(await access.credentials.get()).toEqual({ authorization: 'Bearer two' })
    write('serviceaccount/token', 'three\n')
    expect(access.credentials.invalidate()).toBe(true)
    expect(await access.credentials.get()).toEqual({ authorization: 'Bearer three' })
  })
})

describe('exec plugins', () => {
  const exec = (command: string, more = '') =>
    config({
      user: `exec: {apiVersion: client.authentication.k8s.io/v1, command: ${command}, interactiveMode: Never${more}}`,
    })
  const answer = (status: object) =>
    JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })

  test('runs beside the kubeconfig with what the protocol promises, and again when its answer expires', async () => {
    write(
      'plugin.sh',
      `#!/bin/sh\necho run >> "${join(dir, 'runs')}"\ncase "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac\n` +
        `echo '${answer({ token: 'TOKEN', expirationTimestamp: '2030-01-01T00:10:00Z' }).replace('TOKEN', `'"$1$WHO"'`)}'\n`,
      0o700,
    )
    const path = write('exec', exec('./plugin.sh', ', args: [hello-], env: [{name: WHO, value: jane}]'))
    const clock = new FakeClock(new Date('2030-01-01T00:00:00Z'))
    const { credentials } = await loadKubeconfig({ path, clock })
    const runs = async () => (await import('node:fs')).readFileSync(join(dir, 'runs'), 'utf8').split('\n').length - 1
    expect(await credentials.get()).toEqual({ authorization: 'Bearer hello-jane' })
    await credentials.get()
    expect(await runs()).toBe(1)
    await clock.advance(9 * 60_000 + 51_000)
    await credentials.get()
    expect(await runs()).toBe(2)
    credentials.invalidate()
    await credentials.get()
    expect(await runs()).toBe(3)
  })

  test.each([
    { why: 'is not there', script: undefined, message: /exec plugin .*absent: spawn .*ENOENT\nbrew install it/ },
    { why: 'fails', script: '#!/bin/sh\nexit 7\n', message: /ended with exit code 7/ },
    { why: 'prints something else', script: '#!/bin/sh\necho hello\n', message: /printed no ExecCredential/ },
    {
      why: 'gives nothing to use',
      script: `#!/bin/sh\necho '${answer({})}'\n`,
      message: /neither a token nor a certificate/,
    },
  ])('one that $why: says so', async ({ script, message }) => {
    const command = script === undefined ? './absent' : './bad.sh'
    if (script !== undefined) write('bad.sh', script, 0o700)
    const path = write('exec-bad', exec(command, ', installHint: "brew install it"'))
    await expect((await loadKubeconfig({ path })).credentials.get()).rejects.toThrow(message)
  })
})

describe('what is wrong is named', () => {
  const cases: { why: string; text: string; options?: object; message: RegExp }[] = [
    { why: 'no such context', text: config({ current: 'y' }), message: /context "y" does not exist in .*bad/ },
    { why: 'no context at all', text: config({ current: '""' }), message: /has no current-context/ },
    {
      why: 'no such cluster',
      text: config({}),
      options: { cluster: 'z' },
      message: /cluster "z" of context "x" does not exist/,
    },
    {
      why: 'no such user',
      text: config({}),
      options: { user: 'z' },
      message: /user "z" of context "x" does not exist/,
    },
    {
      why: 'a missing certificate',
      text: config({ user: 'client-key: k.pem' }),
      message: /"u": cannot read client-key .*k\.pem/,
    },
    { why: 'not YAML', text: ':\n  - [', message: /kubeconfig .*bad: / },
    { why: 'not a mapping', text: '- a', message: /is not a mapping/ },
    {
      why: 'a plugin of long ago',
      text: config({ user: 'auth-provider: {name: gcp}' }),
      message: /auth-provider was removed/,
    },
  ]
  test.each(cases)('$why', async ({ text, options, message }) => {
    await expect(loadKubeconfig({ path: write('bad', text), ...options })).rejects.toThrow(message)
  })

  test('no file', async () => {
    await expect(loadKubeconfig({ path: join(dir, 'nowhere') })).rejects.toThrow(/cannot read kubeconfig .*nowhere/)
    await expect(loadKubeconfig({ env: {}, home: join(dir, 'nobody') })).rejects.toThrow(
      /no kubeconfig: looked for .*nobody/,
    )
  })
})
