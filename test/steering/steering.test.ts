import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, decode, encode } from 'dns-packet'
import { namespaces } from '../../runtime/client/resource.ts'
import { FakeClock } from '../../runtime/clock.ts'
import type { Steering } from '../../steering/steering.ts'
import { inProcess } from '../cli/in-process.ts'
import { type ControlPlane, eventually, startControlPlane } from '../gateway/harness.ts'
import { v4Bits, writeMmdb } from '../runtime/geo/write-mmdb.ts'
import {
  FakeAppliance,
  named,
  openSteering,
  putAppliance,
  putCatalog,
  putSite,
  type SteeredBody,
  steer,
} from './fleet.ts'

// Two sites with two appliances each, of which a1 and a2 hold everything, b1 the first file.

const NS = 'play'
const FILES = [
  { path: 'one.mp4', title: 'One' },
  { path: 'two words.mp4', title: 'Crème brûlée' },
  { path: 'hls/low/0.ts', title: 'Stream' },
  { path: 'hls/master.m3u8', title: 'Stream' },
  { path: 'nowhere.mp4' },
]
let plane: ControlPlane
let steering: Steering & AsyncDisposable
let digest: string
const boxes = new Map<string, FakeAppliance>()

beforeAll(async () => {
  plane = await startControlPlane()
  await plane.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  digest = await putCatalog(plane, NS, 'films', FILES)
  await putSite(plane, NS, 'fra', { prefixes: ['203.0.113.0/24'] })
  await putSite(plane, NS, 'ams', { prefixes: ['192.0.2.0/24', '2001:db8:1::/48'], parents: ['fra'] })
  for (const name of ['a1', 'a2', 'b1', 'b2']) boxes.set(name, await FakeAppliance.start())
  await Promise.all([...boxes.keys()].map((name) => put(name)))
  steering = await openSteering(plane, {
    dns: {
      listen: { host: '127.0.0.1', port: 0 },
      zone: 'play.example',
      nameServers: ['ns1.example'],
      ttlSeconds: 20,
      perNetwork: 0,
    },
  })
  await steering.synced
  await eventually(async () => (await ask({ file: 'one.mp4', client: '192.0.2.1' })).urls.length === 3, 'all is read')
})
afterAll(async () => {
  await steering?.[Symbol.asyncDispose]()
  for (const box of boxes.values()) await box[Symbol.asyncDispose]()
  await plane?.[Symbol.asyncDispose]()
})

const HELD: Readonly<Record<string, readonly number[]>> = { a1: [0, 1, 2, 3], a2: [0, 1, 2, 3], b1: [0], b2: [] }

function put(
  name: string,
  more: { mode?: string; files?: readonly number[]; catalogDigest?: string } = {},
): Promise<void> {
  const { files = HELD[name]!, catalogDigest = digest, mode } = more
  const holds = files.length === 0 ? [] : [{ catalog: 'films', catalogDigest, files }]
  const site = name.startsWith('a') ? 'ams' : 'fra'
  return putAppliance(plane, NS, name, { site, url: boxes.get(name)!.url, holds, ...(mode ? { mode } : {}) })
}

const ask = (query: Readonly<Record<string, string>>): Promise<SteeredBody> =>
  steer(steering.url, { ...query, ...(query.file ? { file: `${NS}/films/${query.file}` } : {}) })

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${steering.url}/v1/steer`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('whom to ask', () => {
  test('appliances of the client’s site that hold the file, then those of its parents', async () => {
    const answer = await ask({ file: 'one.mp4', client: '192.0.2.1' })
    expect(named(answer).slice(0, 2).sort()).toEqual(['a1', 'a2'])
    expect(named(answer)[2]).toBe('b1')
    expect(answer.urls.map(({ tier }) => tier)).toEqual(['Site', 'Site', 'Parents'])
    expect(answer.urls[2]!.url).toBe(`${boxes.get('b1')!.url}/${NS}/films/one.mp4`)
    expect(Date.parse(answer.expiresAt)).toBeGreaterThan(Date.now())
  })

  test('when it says that it is ready, at once: all that appliances held at its start is in force', async () => {
    // Time stands still: nothing is taken up by and by.
    await using another = await openSteering(plane, { probeThreads: 0, clock: new FakeClock(new Date()) })
    while ((await fetch(`${another.url}/readyz`)).status !== 200);
    const answer = await steer(another.url, { file: `${NS}/films/one.mp4`, client: '192.0.2.1' })
    expect(named(answer).sort()).toEqual(['a1', 'a2', 'b1'])
  })

  test.each([
    ['of the parent', '203.0.113.9', ['b1']],
    ['over IPv6', '2001:db8:1::7', ['a1', 'a2', 'b1']],
    ['IPv4 in IPv6', '::ffff:192.0.2.9', ['a1', 'a2', 'b1']],
    ['from no known network', '198.51.100.1', []],
  ])('a client %s', async (_, client, expected) => {
    expect(named(await ask({ file: 'one.mp4', client })).sort()).toEqual(expected)
  })

  test('a path is escaped in its URL, and several files have a URL each', async () => {
    const answer = await post({
      client: '192.0.2.1',
      catalog: `${NS}/films`,
      files: ['two words.mp4', 'one.mp4'],
      maxUrls: 1,
    })
    const { urls } = (await answer.json()) as { urls: { url: string; urls: string[]; appliance: string }[] }
    expect(urls).toHaveLength(1)
    const base = `${boxes.get(urls[0]!.appliance.split('/')[1]!)!.url}/${NS}/films`
    expect(urls[0]!.url).toBe(`${base}/two%20words.mp4`)
    expect(urls[0]!.urls).toEqual([`${base}/two%20words.mp4`, `${base}/one.mp4`])
  })

  test('of a title, the URL is that of its playlist', async () => {
    const answer = await ask({ title: 'Stream', client: '192.0.2.1' })
    expect(answer.urls[0]!.url).toMatch(/\/play\/films\/hls\/master\.m3u8$/)
  })

  test('an explanation tells of everybody who was looked at', async () => {
    const answer = await ask({ file: 'one.mp4', client: '192.0.2.1', explain: 'true' })
    expect(answer.explanation!.client).toMatchObject({ site: `${NS}/ams`, knownBy: 'site' })
    const b2 = answer.explanation!.candidates.find(({ appliance }) => appliance === `${NS}/b2`)
    expect(b2).toMatchObject({ reason: 'MissingFiles', message: expect.stringContaining('verified inventory') })
  })

  test('what has failed the client is not named to it again', async () => {
    const first = await ask({ file: 'one.mp4', client: '192.0.2.1' })
    for (const failed of [first.urls[0]!.url, first.urls[0]!.appliance!]) {
      const again = await ask({ file: 'one.mp4', client: '192.0.2.1', exclude: failed })
      expect(again.urls.map(({ appliance }) => appliance)).not.toContain(first.urls[0]!.appliance)
      expect(again.urls).toHaveLength(2)
    }
  })

  test('a file that nobody holds: no URL, and why', async () => {
    expect(await ask({ file: 'nowhere.mp4', client: '192.0.2.1' })).toMatchObject({ urls: [], miss: 'content' })
  })
})

describe('what is refused, and where it is wrong', () => {
  test.each([
    ['no JSON', '{', 400, ''],
    ['a list', [], 400, ''],
    ['nothing asked', {}, 400, '/files'],
    ['a number for a file', { files: [7] }, 400, '/files/0'],
    ['too many files', { files: Array(65).fill('play/films/one.mp4') }, 400, '/files'],
    ['a purpose that is none', { files: ['play/films/one.mp4'], purpose: 'fun' }, 400, '/purpose'],
    ['a field that is not known', { files: ['play/films/one.mp4'], clint: 'x' }, 400, '/clint'],
    ['an address that is none', { files: ['play/films/one.mp4'], client: '192.0.2' }, 400, '/client'],
    ['a file without its catalog', { files: ['one.mp4'] }, 400, '/files/0'],
    ['files and a title', { files: ['play/films/one.mp4'], title: 'One' }, 400, '/title'],
    ['a catalog that is not there', { files: ['play/none/one.mp4'] }, 404, '/files/0'],
    ['a file that is not there', { files: ['play/films/one.mp4', 'play/films/none.mp4'] }, 404, '/files/1'],
    ['a title that is not there', { title: 'None' }, 404, '/title'],
    ['a body without end', 'x'.repeat(70_000), 413, undefined],
  ])('%s', async (_, body, status, pointer) => {
    const answer = await post(body)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const problem = (await answer.json()) as { status: number; detail: string; errors?: { pointer: string }[] }
    expect([answer.status, problem.status]).toEqual([status, status])
    expect(problem.detail).not.toBe('')
    if (pointer !== undefined) expect(problem.errors!.map((error) => error.pointer)).toContain(pointer)
  })

  test('another path, another method, another encoding', async () => {
    expect((await fetch(`${steering.url}/v2`)).status).toBe(404)
    expect((await fetch(`${steering.url}/v1/steer`, { method: 'DELETE' })).status).toBe(405)
    expect((await post('{}', { 'Content-Encoding': 'gzip' })).status).toBe(415)
  })

  test('what is no HTTP', async () => {
    for (const bytes of ['\x16\x03\x01\x02', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(9000)} HTTP/1.1\r\n\r\n`]) {
      const socket = connect(Number(new URL(steering.url).port), '127.0.0.1')
      const chunks: Buffer[] = []
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.end(bytes)
      await once(socket, 'close')
      expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 4\d\d /)
    }
    expect(steering.health).toEqual({ listener: undefined })
  })

  test('pages may read answers', async () => {
    const answer = await fetch(`${steering.url}/v1/steer`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://tv.example' },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect((await fetch(`${steering.url}/v1/steer?file=x`)).headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('whose request it is', () => {
  const clientSeen = async (url: string, headers: Readonly<Record<string, string>>) => {
    const answer = await fetch(`${url}/v1/steer?file=play/films/one.mp4&explain=1`, { headers })
    return ((await answer.json()) as { explanation: { client: { address: string } } }).explanation.client.address
  }

  test('strangers are not believed', async () => {
    await using open = await openSteering(plane, { trustedProxies: ['10.0.0.0/8'], probeThreads: 0, perClient: 5 })
    await open.synced
    const spoofed = { 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1', 'X-Real-IP': '192.0.2.1' }
    await eventually(async () => (await clientSeen(open.url, spoofed)) === '127.0.0.1', 'the socket’s end counts')
    // Who has asked too often, as to find out, hears of nothing else this second.
    const forbidden = async () =>
      (await fetch(`${open.url}/v1/steer?file=play/films/one.mp4&client=192.0.2.1`)).status === 403
    await eventually(forbidden, 'a stranger may not say for whom he asks')
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${open.url}/v1/steer?file=play/films/one.mp4`)),
    )
    const limited = codes.filter(({ status }) => status === 429)
    expect(limited.length).toBeGreaterThanOrEqual(8)
    expect(limited[0]!.headers.get('retry-after')).toBe('1')
  })

  test('clients whose prefix no site announces are found by the routes that appliances hear, in the coverage file, in the database of addresses', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-coverage-'))
    const coverage = join(folder, 'coverage.csv')
    await writeFile(coverage, `prefix,site\n198.51.100.0/24,${NS}/fra\n192.0.2.0/24,${NS}/fra\nnonsense,x\n`)
    await mkdir(join(folder, 'bgp', NS), { recursive: true })
    const route = (prefix: string, path: string) =>
      `TABLE_DUMP2|1|B|10.0.0.1|64500|${prefix}|${path}|IGP|10.0.0.1|0|0||NAG||\n`
    await writeFile(
      join(folder, 'bgp', NS, 'b1'),
      route('100.64.0.0/16', '64500 64501') + route('100.65.0.0/16', '64500'),
    )
    await writeFile(join(folder, 'bgp', NS, 'a1'), `${route('100.64.0.0/16', '64500')}rubbish\n`)
    const geoDatabase = join(folder, 'city.mmdb')
    const known = (network: string, country: string) => ({
      bits: v4Bits(network, 16),
      data: { country: { iso_code: country }, location: { latitude: 48.14, longitude: 11.58 } },
    })
    const addresses = ['192.0.0.0', '198.51.0.0', '100.64.0.0', '100.66.0.0'].map((network) => known(network, 'DE'))
    await writeFile(geoDatabase, writeMmdb('Test-City', [...addresses, known('100.67.0.0', 'BR')]))
    const files = { coverage, geoDatabase, bgpFeeds: join(folder, 'bgp') }
    await using covered = await openSteering(plane, { ...files, probeThreads: 0 })
    await covered.synced
    const site = async (client: string) => {
      const { explanation } = await steer(covered.url, { file: 'play/films/one.mp4', client, explain: '1' })
      return explanation!.client
    }
    await eventually(async () => (await site('198.51.100.1')).site === `${NS}/fra`, 'the file says where it is')
    expect(await site('198.51.100.1')).toMatchObject({ knownBy: 'coverage' })
    expect(await site('192.0.2.1')).toMatchObject({ site: `${NS}/ams`, knownBy: 'site' })
    // Both hear of the first network, ams by a shorter way.
    await eventually(async () => (await site('100.65.0.1')).site === `${NS}/fra`, 'a route says where it is')
    expect(await site('100.64.0.1')).toMatchObject({ site: `${NS}/ams`, knownBy: 'bgp' })
    const coordinates = { latitude: 48.14, longitude: 11.58 }
    expect(await site('100.66.0.1')).toEqual({ address: '100.66.0.1', region: 'DE', knownBy: 'geo', coordinates })
    expect(await site('100.67.0.1')).toEqual({ address: '100.67.0.1', knownBy: 'geo', coordinates })
    expect(await site('100.68.0.1')).toEqual({ address: '100.68.0.1', knownBy: 'none' })
    const told = async (client: string) => {
      const asked = ['--client', client, '--file', 'play/films/one.mp4', '--steering', covered.url]
      return (await inProcess(['steer', 'explain', ...asked])).stdout.split('\n')[0]
    }
    expect(await told('192.0.2.1')).toBe('Client 192.0.2.1: play/ams, region DE, by a prefix that the site announces')
    expect(await told('100.64.0.1')).toBe(
      'Client 100.64.0.1: play/ams, region DE, by a route that appliances hear by BGP',
    )
    expect(await told('198.51.100.1')).toBe('Client 198.51.100.1: play/fra, region DE, by the coverage file')
    expect(await told('100.66.0.1')).toBe('Client 100.66.0.1: region DE, 48.14, 11.58, by the database of addresses')
    expect(await told('100.68.0.1')).toBe('Client 100.68.0.1: nobody knows where it is')
    await rm(folder, { recursive: true })
  })

  test.each([
    ['one proxy', '198.51.100.7', '198.51.100.7'],
    ['the last that is not ours counts', '6.6.6.6, 198.51.100.7, 127.0.0.1', '198.51.100.7'],
    ['with a port', '198.51.100.7:4711', '198.51.100.7'],
    ['IPv6 with brackets and port', '[2001:db8::1]:4711', '2001:db8::1'],
    ['nonsense ends the search', '198.51.100.7, what', '127.0.0.1'],
    ['nothing', '', '127.0.0.1'],
  ])('a proxy of ours says: %s', async (_, header, expected) => {
    expect(await clientSeen(steering.url, { 'X-Forwarded-For': header })).toBe(expected)
  })

  test.each([
    ['a backend of ours', undefined, 200],
    ['a backend of ours, through a proxy of ours', '127.0.0.1', 200],
    ['a stranger, through a proxy of ours', '198.51.100.7', 403],
    ['a stranger who says that he is ours', '127.0.0.1, 198.51.100.7', 403],
  ])('who may say for which client he asks: %s', async (_, header, status) => {
    const headers = header === undefined ? {} : { 'X-Forwarded-For': header }
    const asked = `${steering.url}/v1/steer?file=play/films/one.mp4&client=192.0.2.1`
    expect((await fetch(asked, { headers })).status).toBe(status)
    const body = JSON.stringify({ client: '192.0.2.1', failed: ['play/nobody'] })
    const hinted = await fetch(`${steering.url}/v1/hints`, { method: 'POST', headers, body })
    expect(hinted.status).toBe(status === 200 ? 202 : 403)
  })
})

test('decisions, over HTTP and DNS, are decided again by other policies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-replay-'))
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const data = join(folder, 'data')
  const log = join(folder, 'decisions.log')
  const coverage = await write('coverage.csv', `prefix,site\n198.51.100.0/24,${NS}/ams\n`)
  const dns = { listen: { host: '127.0.0.1', port: 0 }, zone: 'play.example', nameServers: ['ns1.example'] }
  const options = { data, coverage, decisionLog: { path: log }, dns: { ...dns, ttlSeconds: 20, perNetwork: 0 } }
  const replay = async (...words: readonly string[]) =>
    inProcess(['steer', 'replay', ...words, '--data', data], { cwd: folder })
  try {
    {
      await using logging = await openSteering(plane, { ...options, snapshotEveryMs: 50 })
      await logging.synced
      const asked = async (query: Readonly<Record<string, string>>) =>
        (await steer(logging.url, { file: 'play/films/one.mp4', ...query })).urls.length
      await eventually(async () => (await asked({ client: '192.0.2.1' })) === 3, 'all is read')
      // Located by a file that who replays does not have.
      expect(await asked({ client: '198.51.100.9', exclude: `${NS}/a1` })).toBe(2)
      const names = new Resolver({ timeout: 2000, tries: 1 })
      names.setServers([logging.dns!])
      await expect(names.resolve4('creme-brulee.films.play.play.example')).rejects.toMatchObject({ code: 'ENODATA' })
    }
    const policy = (spec: string) =>
      `apiVersion: edge.weir.dev/v1alpha1\nkind: SteeringPolicy\nmetadata: {name: new, namespace: ${NS}}\nspec:\n  ${spec}\n`
    await write('new.yaml', policy('tiers: [Parents]'))
    const { stdout, stderr } = await replay(log, '--policy', 'new.yaml', '-o', 'json')
    expect(stderr).toBe('')
    const told = JSON.parse(stdout)
    // What was asked until everything had been read may have been answered otherwise.
    expect(told.asLogged).toBeGreaterThanOrEqual(3)
    const share = (name: string) => told.bySite.find((one: { name: string }) => one.name === name)
    expect(share(`${NS}/ams`).after).toBe(0)
    expect(share(`${NS}/fra`)).toEqual({ name: `${NS}/fra`, before: 0, after: told.decisions - 1 })
    expect(told.byTier).toContainEqual({ name: 'Nobody', before: 1, after: 1 })
    expect((await replay(log, '--policy', 'new.yaml')).stdout).toContain('would name another first')

    await write('wrong.yaml', policy('tiers: [Parents]\n  wieghts: {load: 1}\n  maxUrls: 99'))
    const wrong = await replay(log, '--policy', 'wrong.yaml')
    expect([wrong.code, wrong.stdout]).toEqual([2, ''])
    expect(wrong.stderr).toContain('wrong.yaml:6:3: error: spec.wieghts: unknown field; did you mean "weights"?')
    expect(wrong.stderr).toMatch(/wrong\.yaml:7:12: error: spec\.maxUrls: Invalid value: 99/)
    expect(wrong.stderr).toContain('error: 2 problems in the manifests; nothing was replayed')
  } finally {
    await rm(folder, { recursive: true })
  }
})

describe('what changes', () => {
  test('a drained appliance leaves at once, and so do all of a site', async () => {
    await Promise.all([put('a1', { mode: 'Draining' }), put('a2', { mode: 'OutOfService' })])
    await eventually(
      async () => named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).join() === 'b1',
      'the site is drained',
    )
    expect(await ask({ file: 'one.mp4', client: '192.0.2.1' })).toMatchObject({ miss: 'health' })
    await Promise.all([put('a1'), put('a2')])
    await eventually(async () => named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).length === 3, 'it is back')
  })

  test('what is withdrawn is not named, whatever was planned; a missing blob counts as withdrawn', async () => {
    await put('b1', { files: [] })
    await eventually(
      async () => !named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).includes('b1'),
      'b1 is left out',
    )
    await put('b1')
    await eventually(
      async () => named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).includes('b1'),
      'b1 is back',
    )
    const { digest: gone } = { digest: `sha256:${randomBytes(32).toString('hex')}` }
    await put('b1', { catalogDigest: gone })
    await eventually(
      async () => !named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).includes('b1'),
      'b1 is left out',
    )
    expect(steering.view.inventoriesWithheld).toBe(1)
    await put('b1')
    await eventually(
      async () => named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).includes('b1'),
      'b1 is back',
    )
  })

  test('a catalog that was made anew numbers its files anew: old inventories do not count', async () => {
    const other = await putCatalog(plane, NS, 'films', [null, null, null, null, null, { path: 'new.mp4' }])
    await eventually(() => ask({ file: 'new.mp4', client: '192.0.2.1' }), 'the new file is known')
    expect((await ask({ file: 'new.mp4', client: '192.0.2.1' })).urls).toEqual([])
    await put('a1', { files: [5], catalogDigest: other })
    await eventually(
      async () => named(await ask({ file: 'new.mp4', client: '192.0.2.1' })).join() === 'a1',
      'a1 has it',
    )
    const shuffled = await putCatalog(plane, NS, 'other', [{ path: 'x' }, { path: 'one.mp4' }])
    await put('a2', { catalogDigest: shuffled })
    await eventually(() => steering.view.inventoriesWithheld === 1, 'the inventory of another catalog is left out')
    digest = await putCatalog(plane, NS, 'films', [...FILES, { path: 'new.mp4' }])
    await Promise.all([put('a1'), put('a2')])
    await eventually(async () => named(await ask({ file: 'one.mp4', client: '192.0.2.1' })).length === 3, 'as it was')
  })
})

describe('DNS', () => {
  const resolver = () => {
    const made = new Resolver({ timeout: 2000, tries: 1 })
    made.setServers([steering.dns!])
    return made
  }
  const port = () => Number(steering.dns!.split(':').at(-1))

  async function query(message: Buffer): Promise<ReturnType<typeof decode> & { readonly rcode: string }> {
    const socket = createSocket('udp4')
    try {
      socket.send(message, port(), '127.0.0.1')
      const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer]
      return decode(answer) as ReturnType<typeof decode> & { readonly rcode: string }
    } finally {
      socket.close()
    }
  }
  const subnet = (data: number[]) =>
    ({
      type: 'OPT',
      name: '.',
      udpPayloadSize: 1232,
      ednsVersion: 0,
      flags: 0,
      options: [{ code: 8, data: Buffer.from(data) }],
    }) as unknown as Answer
  const asked = (name: string, type = 'A', additionals: Answer[] = []) =>
    encode({ id: 77, type: 'query', flags: 0x100, questions: [{ name, type: type as 'A' }], additionals })

  test.each([
    ['a site', 'ams.play.play.example', ['127.0.0.1']],
    ['a site by its name alone', 'AMS.play.example', ['127.0.0.1']],
  ])('%s', async (_, name, expected) => {
    expect(await resolver().resolve4(name)).toEqual(expected)
  })

  test.each([
    ['no address of that family', 'ams.play.play.example', 'AAAA', 'ENODATA'],
    ['a name above others', 'play.play.example', 'A', 'ENODATA'],
    ['no such name', 'nowhere.play.example', 'A', 'ENOTFOUND'],
    ['another’s zone', 'example.org', 'A', 'EREFUSED'],
  ])('%s', async (_, name, type, code) => {
    await expect(resolver().resolve(name, type)).rejects.toMatchObject({ code })
  })

  test('the zone itself', async () => {
    expect(await resolver().resolveNs('play.example')).toEqual(['ns1.example'])
    expect(await resolver().resolveSoa('play.example')).toMatchObject({ nsname: 'ns1.example' })
  })

  test('a title is steered by the client’s subnet, and the answer is for just that', async () => {
    const inside = await query(asked('creme-brulee.films.play.play.example', 'A', [subnet([0, 1, 24, 0, 192, 0, 2])]))
    expect(inside.answers).toMatchObject([{ type: 'A', ttl: 20, data: '127.0.0.1' }])
    const [opt] = inside.additionals as unknown as {
      options: { scopePrefixLength: number; sourcePrefixLength: number }[]
    }[]
    expect(opt!.options[0]).toMatchObject({ sourcePrefixLength: 24, scopePrefixLength: 24 })
    const outside = await query(
      asked('creme-brulee.films.play.play.example', 'A', [subnet([0, 1, 24, 0, 198, 51, 100])]),
    )
    expect(outside.answers).toEqual([])
    const site = await query(asked('ams.play.play.example', 'A', [subnet([0, 1, 24, 0, 198, 51, 100])]))
    const [whole] = site.additionals as unknown as { options: { scopePrefixLength: number }[] }[]
    expect(whole!.options[0]!.scopePrefixLength).toBe(0)
  })

  test.each([
    ['more bytes than the prefix takes', subnet([0, 1, 16, 0, 192, 0, 2]), 'FORMERR'],
    ['bits beyond the prefix', subnet([0, 1, 20, 0, 192, 0, 255]), 'FORMERR'],
    ['an unknown family', subnet([0, 3, 0, 0]), 'FORMERR'],
    ['a scope in a question', subnet([0, 1, 24, 24, 192, 0, 2]), 'FORMERR'],
  ])('a subnet with %s', async (_, opt, rcode) => {
    expect((await query(asked('ams.play.play.example', 'A', [opt]))).rcode).toBe(rcode)
  })

  test('what is no query gets no answer, and others are answered all the same', async () => {
    const socket = createSocket('udp4')
    const answers: Buffer[] = []
    socket.on('message', (answer) => answers.push(answer))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    for (let i = 0; i < 300; i++) {
      const noise = randomBytes(i % 60)
      // An answer, or shorter than a header: two servers must never keep each other busy.
      if (noise.length >= 12) noise[2]! |= 0x80
      await new Promise<unknown>((resolve) => socket.send(noise, port(), '127.0.0.1', resolve))
      // What comes faster than it is read, the system drops.
      if (i % 20 === 0) expect((await query(asked('ams.play.play.example'))).answers).toHaveLength(1)
    }
    expect((await query(asked('ams.play.play.example'))).answers).toHaveLength(1)
    expect(answers).toEqual([])
    socket.close()
    for (let i = 0; i < 200; i++) {
      // Headers of queries with rubbish behind them: an error, and no end of the program.
      const rubbish = randomBytes(12 + (i % 100))
      rubbish[2] = 0
      expect(['FORMERR', 'REFUSED', 'NOERROR', 'NXDOMAIN', 'NOTIMP']).toContain((await query(rubbish)).rcode)
    }
  })

  test('over TCP, several on one connection, in pieces', async () => {
    const message = asked('ams.play.play.example')
    const framed = Buffer.concat([Buffer.from([0, message.length]), message])
    const socket = connect(port(), '127.0.0.1')
    socket.setNoDelay(true)
    const both = Buffer.concat([framed, framed])
    for (const byte of both) socket.write(Buffer.from([byte]))
    let got = Buffer.alloc(0)
    while (got.length < 2 || got.length < 2 * (2 + got.readUInt16BE(0))) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(5000) })) as [Buffer]
      got = Buffer.concat([got, chunk])
    }
    expect(decode(got.subarray(2, 2 + got.readUInt16BE(0))).answers).toHaveLength(1)
    socket.destroy()
  })
})
