import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import type { Io } from '../../cli/io.ts'
import { run } from '../../cli/run.ts'

jest.setTimeout(120_000)

// A server that treats watches badly: it breaks the first off in the middle, has forgotten where the second was, and serves the third.

const at = (name: string, resourceVersion: string, more: object = {}) => ({
  metadata: { name, namespace: 'default', uid: name, resourceVersion },
  ...more,
})
const map = (name: string, resourceVersion: string, value: string) =>
  at(name, resourceVersion, { apiVersion: 'v1', kind: 'ConfigMap', data: { value } })
const event = (name: string, resourceVersion: string) =>
  at(name, resourceVersion, {
    apiVersion: 'v1',
    kind: 'Event',
    type: 'Normal',
    reason: name,
    message: name,
    involvedObject: { kind: 'Site', name: 's' },
    lastTimestamp: new Date(Date.now() + 60_000).toISOString(),
  })

interface Script {
  readonly lists: readonly (readonly object[])[]
  readonly watches: readonly (readonly object[])[]
}
const gone = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
}
const added = (object: object) => ({ type: 'ADDED', object })
const scripts: Readonly<Record<string, Script>> = {
  configmaps: {
    lists: [[map('a', '1', 'one')], [map('a', '2', 'two'), map('b', '3', 'new')]],
    watches: [[{ type: 'MODIFIED', object: map('a', '2', 'two') }], [gone], [added(map('c', '5', 'last'))]],
  },
  events: {
    lists: [[event('first', '1')], [event('first', '1'), event('missed', '3')]],
    watches: [[added(event('second', '2'))], [gone], [added(event('last', '5'))]],
  },
}
const counts = new Map<string, number>()
const next = (key: string) => {
  const count = counts.get(key) ?? 0
  counts.set(key, count + 1)
  return count
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://server')
  const plural = url.pathname.split('/').at(-1) ?? ''
  response.setHeader('Content-Type', 'application/json')
  if (url.pathname === '/api') return response.end(JSON.stringify({ kind: 'APIVersions', versions: ['v1'] }))
  if (url.pathname === '/apis') return response.end(JSON.stringify({ kind: 'APIGroupList', groups: [] }))
  if (url.pathname === '/api/v1') {
    const verbs = ['get', 'list', 'watch']
    const resources = [
      { name: 'configmaps', singularName: 'configmap', kind: 'ConfigMap', namespaced: true, verbs, shortNames: ['cm'] },
      { name: 'events', singularName: 'event', kind: 'Event', namespaced: true, verbs },
    ]
    return response.end(JSON.stringify({ kind: 'APIResourceList', resources }))
  }
  const { lists, watches } = scripts[plural]!
  if (!url.searchParams.has('watch')) {
    const items = lists[Math.min(next(`${plural} list`), lists.length - 1)]
    return response.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '4' }, items }))
  }
  const index = next(`${plural} watch`)
  for (const line of watches[index] ?? []) response.write(`${JSON.stringify(line)}\n`)
  // The first breaks in the middle of a line.
  if (index === 0) response.write('{"type":', () => response.destroy())
  return undefined
})
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Runs until something is written, and then as if Ctrl-C were pressed. */
async function until(text: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const interruption = new AbortController()
  let [out, err] = ['', '']
  const io: Io = {
    env: {},
    cwd: '/',
    stdin: process.stdin,
    out: async (part) => {
      out += part
      if (out.includes(text)) interruption.abort()
    },
    err: (part) => {
      err += part
    },
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: () => 80,
    interrupted: interruption.signal,
    readerGone: new AbortController().signal,
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const code = await run([...args, '--server', url, '--kubeconfig', '/dev/null'], io)
  return { code, out, err }
}

test.concurrent('get -w goes on after a lost connection and a 410, telling once what changed meanwhile', async () => {
  const columns = 'custom-columns=N:.metadata.name,V:.data.value'
  const { code, out, err } = await until('last', ['get', 'cm', '-w', '-o', columns, '--no-headers'])
  expect(out.replace(/ +/g, ' ')).toBe('a one\na two\nb new\nc last\n')
  expect(err).toMatch(/^watch interrupted, trying again: lost the connection to http:\/\/127\.0\.0\.1:\d+/)
  expect(code).toBe(130)
})

test.concurrent('events -w too', async () => {
  const { code, out } = await until('last', ['events', '-w', '--no-headers', '-o', 'name'])
  expect(out.match(/(first|second|missed|last)$/gm)?.filter((name, index, all) => all.indexOf(name) === index)).toEqual(
    ['first', 'second', 'missed', 'last'],
  )
  expect(code).toBe(130)
})
