import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { dirname, join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { Folder, kubectl, program, type Result } from './harness.ts'
import { inProcess } from './in-process.ts'

// Each case is a request that reaches a real server (or is not made), by this program and by kubectl: what the server saw must be the same.

jest.setTimeout(120_000)

/** What a server sees of who asks it, and how. */
interface Seen {
  readonly server: string
  readonly authorization?: string
  readonly certificate?: string
  readonly serverName?: string
  readonly impersonation?: Readonly<Record<string, string>>
  readonly prefix?: string
  readonly proxied?: boolean
}

const folder = new Folder()
const seen = new Map<string, Seen>()
const proxied = new Set<string>()
const servers: http.Server[] = []
let [secure, other, plain, proxy] = ['', '', '', '']

beforeAll(async () => {
  const certificates = await ensureCertificates({
    folder: join(folder.path, 'pki'),
    names: ['api.example'],
    now: new Date(),
  })
  const tls = {
    key: certificates.server.key,
    cert: certificates.server.certificate,
    ca: certificates.authority,
    requestCert: true,
    rejectUnauthorized: false,
  }
  secure = `https://127.0.0.1:${await listen(https.createServer(tls, record('secure')))}`
  other = `https://127.0.0.1:${await listen(https.createServer(tls, record('other')))}`
  plain = `http://127.0.0.1:${await listen(http.createServer(record('plain')))}`
  proxy = `http://127.0.0.1:${await listen(tunnel())}`
  folder.file('token', 'from-a-file\n')
  folder.file('not-the-ca.crt', certificates.admin.certificate)
  script(
    'plugin.sh',
    `#!/bin/sh\ncat > /dev/null\nprintf %s "$KUBERNETES_EXEC_INFO" > "$0.info"\n${credential('"exec-$1$WHO"')}`,
  )
  script('fails.sh', '#!/bin/sh\nexit 3\n')
})
afterAll(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  folder[Symbol.dispose]()
})

const record =
  (name: string): http.RequestListener =>
  (request, response) => {
    const socket = request.socket as TLSSocket
    const certificate = socket.encrypted ? socket.getPeerCertificate().subject?.CN : undefined
    const headers = Object.entries(request.headersDistinct).filter(([key]) => key.startsWith('impersonate-'))
    const [prefix = '', id = ''] = (request.url ?? '').split('/probe/')
    const { authorization } = request.headers
    seen.set(id, {
      server: name,
      ...(authorization === undefined ? {} : { authorization }),
      ...(certificate === undefined ? {} : { certificate: String(certificate) }),
      ...(typeof socket.servername === 'string' && socket.servername !== '' ? { serverName: socket.servername } : {}),
      ...(headers.length === 0
        ? {}
        : { impersonation: Object.fromEntries(headers.map(([key, values]) => [key, values!.join(',')])) }),
      ...(prefix === '' ? {} : { prefix }),
      ...(proxied.has(`${socket.remotePort}`) ? { proxied: true } : {}),
    })
    response.setHeader('Content-Type', 'application/json')
    response.end('{}')
  }

/** An HTTP proxy: connections that it makes are known by their port. */
function tunnel(): http.Server {
  const server = http.createServer()
  server.on('connect', (request: http.IncomingMessage, client, head: Buffer) => {
    const port = Number(new URL(`http://${request.url}`).port)
    const upstream = connect(port, '127.0.0.1', () => {
      proxied.add(String(upstream.localPort))
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    for (const end of [client, upstream]) end.on('error', () => end.destroy())
  })
  return server
}

async function listen(server: http.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return (server.address() as AddressInfo).port
}

function script(name: string, text: string): void {
  chmodSync(folder.file(name, text), 0o700)
}

const credential = (token: string) =>
  `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'${token}'"}}'\n`

const pki = 'certificate-authority: pki/ca.crt'

/** A kubeconfig of one context, in flow style but for its lists. */
const config = (cluster: string, user = '', context = '') => `apiVersion: v1
kind: Config
clusters:
- {name: c, cluster: {${cluster}}}
- {name: elsewhere, cluster: {server: "${other}", ${pki}}}
users:
- {name: u, user: {${user}}}
- {name: somebody, user: {token: somebody}}
contexts:
- {name: x, context: {cluster: c, user: u, ${context}}}
- {name: second, context: {cluster: elsewhere, user: somebody}}
current-context: x
`
const server = () => `server: "${secure}", ${pki}`

interface Case {
  readonly why: string
  /** Files below the folder; `config` is the kubeconfig unless `env` says otherwise. */
  readonly files: () => Readonly<Record<string, string>>
  readonly args?: () => readonly string[]
  readonly env?: () => Readonly<Record<string, string>>
  readonly seen?: Seen
  /** In place of a request: what both say, and what is ours. */
  readonly error?: RegExp
}

const alone = (text: () => string) => () => ({ config: text() })
const at = (name: string) => join(folder.path, name)
const insecure = '--insecure-skip-tls-verify'

const cases: readonly Case[] = [
  {
    why: 'a token',
    files: alone(() => config(server(), 'token: t')),
    seen: { server: 'secure', authorization: 'Bearer t' },
  },
  {
    why: 'a token in a file beside the kubeconfig, which wins over one in it',
    files: alone(() => config(server(), 'token: t, tokenFile: token')),
    seen: { server: 'secure', authorization: 'Bearer from-a-file' },
  },
  {
    why: 'a certificate, by files beside the kubeconfig',
    files: alone(() => config(server(), 'client-certificate: pki/admin.crt, client-key: pki/admin.key')),
    seen: { server: 'secure', certificate: 'weir-admin' },
  },
  {
    why: 'basic authentication',
    files: alone(() => config(server(), 'username: jane, password: "p:w"')),
    seen: { server: 'secure', authorization: `Basic ${Buffer.from('jane:p:w').toString('base64')}` },
  },
  {
    why: 'a token and basic authentication contradict each other',
    files: alone(() => config(server(), 'username: jane, password: pw, token: t')),
    error: /only one (of them )?is allowed/,
  },
  {
    why: 'nothing secret goes over plain HTTP',
    files: alone(() => config(`server: "${plain}"`, 'token: t')),
    seen: { server: 'plain' },
  },
  {
    why: 'a server below a path',
    files: alone(() => config(`server: "${secure}/k8s/clusters/one/", ${pki}`, 'token: t')),
    seen: { server: 'secure', authorization: 'Bearer t', prefix: '/k8s/clusters/one' },
  },
  {
    why: 'the name that the certificate must have',
    files: alone(() => config(`${server()}, tls-server-name: api.example`, 'token: t')),
    seen: { server: 'secure', authorization: 'Bearer t', serverName: 'api.example' },
  },
  {
    why: 'a server that is not who it should be',
    files: alone(() => config(`${server()}, tls-server-name: wrong.example`, 'token: t')),
    error: /wrong\.example/,
  },
  {
    why: 'an authority that did not sign the server',
    files: alone(() => config(`server: "${secure}", certificate-authority: not-the-ca.crt`, 'token: t')),
    error: /certificate/,
  },
  {
    why: 'unchecked because the kubeconfig says so',
    files: alone(() => config(`server: "${secure}", insecure-skip-tls-verify: true`, 'token: t')),
    seen: { server: 'secure', authorization: 'Bearer t' },
  },
  {
    why: 'unchecked, with an authority to check by',
    files: alone(() => config(`${server()}, insecure-skip-tls-verify: true`, 'token: t')),
    error: /specifying a root certificates file with the insecure flag is not allowed/,
  },
  {
    why: 'the flag that checks nothing takes the place of the authority',
    files: alone(() => config(`server: "${secure}", certificate-authority: not-the-ca.crt`, 'token: t')),
    args: () => [insecure],
    seen: { server: 'secure', authorization: 'Bearer t' },
  },
  {
    why: 'an authority from a flag wins over data',
    files: alone(() => config(`server: "${secure}", insecure-skip-tls-verify: true`, 'token: t')),
    args: () => ['--certificate-authority', at('pki/ca.crt')],
    seen: { server: 'secure', authorization: 'Bearer t' },
  },
  {
    why: 'impersonation in the kubeconfig',
    files: alone(() =>
      config(server(), 'token: t, as: jane, as-groups: [dev, ops], as-uid: u1, as-user-extra: {why: [test]}'),
    ),
    seen: {
      server: 'secure',
      authorization: 'Bearer t',
      impersonation: {
        'impersonate-user': 'jane',
        'impersonate-group': 'dev,ops',
        'impersonate-uid': 'u1',
        'impersonate-extra-why': 'test',
      },
    },
  },
  {
    why: 'impersonation by flags',
    files: alone(() => config(server(), 'token: t, as: jane, as-groups: [dev]')),
    args: () => ['--as=joe', '--as-group=a', '--as-group=b', '--as-uid=7'],
    seen: {
      server: 'secure',
      authorization: 'Bearer t',
      impersonation: { 'impersonate-user': 'joe', 'impersonate-group': 'a,b', 'impersonate-uid': '7' },
    },
  },
  {
    why: 'a group, but nobody to be',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--as-group=a'],
    error: /requesting uid, groups or user-extra for .* without impersonating a user/,
  },
  {
    why: 'another context',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--context=second'],
    seen: { server: 'other', authorization: 'Bearer somebody' },
  },
  {
    why: 'another cluster, and another user',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--cluster=elsewhere', '--user=somebody'],
    seen: { server: 'other', authorization: 'Bearer somebody' },
  },
  {
    why: 'another server and token; the name of the old server does not count',
    files: alone(() => config(`${server()}, tls-server-name: wrong.example`, 'token: t')),
    args: () => ['--server', other, '--token=flag'],
    seen: { server: 'other', authorization: 'Bearer flag' },
  },
  {
    why: 'a certificate by flags',
    files: alone(() => config(server())),
    args: () => ['--client-certificate', at('pki/admin.crt'), '--client-key', at('pki/admin.key')],
    seen: { server: 'secure', certificate: 'weir-admin' },
  },
  {
    why: 'no such context',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--context=z'],
    error: /context "z" does not exist/,
  },
  {
    why: 'no such cluster',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--cluster=z'],
    error: /cluster "z".* does not exist/,
  },
  {
    why: 'no such user',
    files: alone(() => config(server(), 'token: t')),
    args: () => ['--user=z'],
    error: /"z".* does not exist/,
  },
  {
    why: 'a name twice in one file',
    files: alone(() => config(server()).replace('name: elsewhere', 'name: c')),
    error: /duplicate name "c" in list|duplicate name "c" in clusters/,
  },
  {
    why: 'of several files the first that knows a name wins, and relative paths begin at their file',
    files: () => ({
      'one/config': `contexts:\n- {name: x, context: {cluster: c, user: u}}\nusers:\n- {name: u, user: {token: one}}\ncurrent-context: x\n`,
      'two/config': `clusters:\n- {name: c, cluster: {server: "${secure}", certificate-authority: ../pki/ca.crt}}\nusers:\n- {name: u, user: {token: two}}\ncurrent-context: nope\n`,
    }),
    env: () => ({ KUBECONFIG: `${at('one/config')}:${at('missing')}::${at('two/config')}` }),
    seen: { server: 'secure', authorization: 'Bearer one' },
  },
  {
    why: 'a server alone, without any kubeconfig',
    files: () => ({}),
    args: () => ['--server', secure, insecure, '--token=flag'],
    env: () => ({ KUBECONFIG: at('missing') }),
    seen: { server: 'secure', authorization: 'Bearer flag' },
  },
  {
    why: 'a proxy in the kubeconfig',
    files: alone(() => config(`${server()}, proxy-url: "${proxy}"`, 'token: t')),
    seen: { server: 'secure', authorization: 'Bearer t', proxied: true },
  },
  {
    why: 'this machine is not reached by the proxy of the environment',
    files: alone(() => config(server(), 'token: t')),
    env: () => ({ KUBECONFIG: at('config'), HTTPS_PROXY: 'http://127.0.0.1:1' }),
    seen: { server: 'secure', authorization: 'Bearer t' },
  },
  {
    why: 'a credential plugin beside the kubeconfig, with arguments and environment',
    files: alone(() =>
      config(
        server(),
        'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, args: [a-], env: [{name: WHO, value: jane}], interactiveMode: Never}',
      ),
    ),
    seen: { server: 'secure', authorization: 'Bearer exec-a-jane' },
  },
  {
    why: 'a plugin that does not say how it talks to people',
    files: alone(() => config(server(), 'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh}')),
    error: /interactiveMode must be specified/,
  },
  {
    why: 'a plugin that needs a terminal, and there is none',
    files: alone(() =>
      config(
        server(),
        'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, interactiveMode: Always}',
      ),
    ),
    error: /standard input is not a terminal/,
  },
  {
    why: 'a plugin that fails',
    files: alone(() =>
      config(
        server(),
        'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./fails.sh, interactiveMode: Never}',
      ),
    ),
    error: /fails\.sh .*exit code 3/,
  },
]

/** Runs one case, and gives what the server saw of it. */
async function ask(
  { files, args, env }: Case,
  id: string,
  run: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<{ readonly result: Result; readonly seen: Seen | undefined }> {
  for (const [name, text] of Object.entries(files())) {
    mkdirSync(dirname(at(name)), { recursive: true })
    writeFileSync(at(name), text)
  }
  const result = await run(
    ['get', '--raw', `/probe/${id}`, ...(args?.() ?? [])],
    env?.() ?? { KUBECONFIG: at('config') },
  )
  return { result, seen: seen.get(id) }
}

describe('a kubeconfig leads where kubectl goes', () => {
  test.each(cases.map((one, index) => ({ ...one, index })))('$why', async (one) => {
    const ours = await ask(one, `weir-${one.index}`, (args, env) => inProcess(args, { env, cwd: folder.path }))
    expect({ seen: ours.seen, stderr: ours.result.stderr }).toEqual({
      seen: one.seen,
      stderr: one.error ? expect.stringMatching(one.error) : '',
    })
    expect(ours.result.code).toBe(one.error ? 3 : 0)
    if (kubectl === undefined) return
    const theirs = await ask(one, `kubectl-${one.index}`, (args, env) =>
      program(kubectl!, args, { env, cwd: folder.path }),
    )
    expect(theirs.seen).toEqual(one.seen)
    expect(theirs.result.code).toBe(one.error ? 1 : 0)
    if (one.error) expect(theirs.result.stderr).toMatch(one.error)
  })

  test('a plugin is told of the cluster what kubectl tells it', async () => {
    const one: Case = {
      why: '',
      files: alone(() =>
        config(
          `${server()}, tls-server-name: api.example, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: a}}]`,
          'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, interactiveMode: IfAvailable, provideClusterInfo: true}',
        ),
      ),
    }
    const { readFileSync } = await import('node:fs')
    const told = () => JSON.parse(readFileSync(at('plugin.sh.info'), 'utf8')) as unknown
    await ask(one, 'weir-plugin', (args, env) => inProcess(args, { env, cwd: folder.path }))
    expect(told()).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: {
        interactive: false,
        cluster: {
          server: secure,
          'tls-server-name': 'api.example',
          'certificate-authority-data': readFileSync(at('pki/ca.crt')).toString('base64'),
          config: { audience: 'a' },
        },
      },
    })
    if (kubectl === undefined) return
    const ours = told()
    await ask(one, 'kubectl-plugin', (args, env) => program(kubectl!, args, { env, cwd: folder.path }))
    expect(told()).toEqual(ours)
  })
})
