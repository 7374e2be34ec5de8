import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { newAddress, parseAddress } from '../../reconcilers/steering/address.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import type { Place } from '../../reconcilers/steering/locate.ts'
import { BUILT_IN_POLICY, type PolicyInput } from '../../reconcilers/steering/policy.ts'
import { reportLoad, setPolicies, setUp, tick } from '../../reconcilers/steering/update.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import type { Ask } from '../../steering/ask.ts'
import { Counters } from '../../steering/counters.ts'
import { DecisionLog } from '../../steering/log/decision-log.ts'
import { type LogEntry, readDecisions } from '../../steering/log/read-decisions.ts'
import { type First, Replay } from '../../steering/replay.ts'
import { randomBits, Steerer } from '../../steering/steerer.ts'
import { CatalogIndex, catalogTables } from '../../steering/world/catalog-index.ts'
import { appliance, hardwareClass, site } from '../reconcilers/fleet.ts'

// Decisions of a little fleet, taken and logged as steering does; then decided again on a fleet that knows nothing of what happened.

const START_MS = 1_900_000_000_000
const BOXES = ['a1', 'a2', 'a3', 'b1', 'p1']
const FILES = Array.from({ length: 60 }, (_, i) => ({ path: `films/${i}.mp4`, title: `Film ${i >> 1}` }))
const index = new CatalogIndex('sha256:0', catalogTables(FILES, FILES.length, 1 << 12))

const online = (name: string) =>
  appliance(name, name.startsWith('p') ? 'parent' : `edge-${name[0]}`, {
    status: {
      addresses: [{ type: 'HTTP', url: `http://${name}.example` }],
      conditions: [{ type: 'Online', status: 'True', reason: 'Heartbeat', message: '', lastTransitionTime: '' }],
    },
  })

const small = hardwareClass('small', 1e12)

const policy = (name: string, spec: Partial<PolicyInput['spec']>): PolicyInput => ({
  metadata: { namespace: 'default', name },
  spec: { ...BUILT_IN_POLICY.spec, priority: 0, clients: { unlocated: true }, ...spec },
})

function fleet(throughputGbps = small.spec.throughputGbps): World {
  return buildWorld(
    {
      sites: [
        site('edge-a', { parents: [{ name: 'parent' }] }),
        site('edge-b', { parents: [{ name: 'parent' }] }),
        site('parent', { tier: 'regional', metro: 'Berlin' }),
      ],
      appliances: BOXES.map(online),
      hardwareClasses: [{ ...small, spec: { ...small.spec, throughputGbps } }],
      policies: [policy('of-then', { fallbacks: [{ url: 'https://cloud.example' }] })],
      catalogs: [{ key: 'default/films', files: index }],
      inventories: BOXES.map((box, b) => ({
        ...{ appliance: `default/${box}`, catalog: 'default/films' },
        files: FileSet.of(FILES.flatMap((_, i) => (box === 'p1' || (i >> 1) % 3 !== b % 3 ? [i] : []))),
      })),
    },
    START_MS,
  )
}

const PLACES: Readonly<Record<number, Place>> = {
  10: { site: 'default/edge-a', region: undefined, source: 'bgp' },
  20: { site: 'default/edge-b', region: undefined, source: 'coverage' },
  30: { site: undefined, region: 'DE', source: 'geo', latitude: 52.5, longitude: 13.4 },
}

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-replay-'))
  path = join(folder, 'decisions.log')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const COUNT = 1500
const EVERY_MS = 20

/** Half a minute of plays, on which boxes get busier, and one goes down and comes back. */
async function logged(
  options: { readonly maxBytes?: number; readonly share?: number } = {},
  count = COUNT,
  { silent = [], world = fleet() }: { readonly silent?: readonly string[]; readonly world?: World } = {},
): Promise<Counters> {
  const clock = new FakeClock(new Date(START_MS))
  const counters = new Counters()
  const down = new Set<string>()
  const decisions = await DecisionLog.open({
    ...{ path, world, clock, counters, log: silentLog, isDown: (key) => down.has(key), ...options },
  })
  const steerer = new Steerer({
    world,
    clientMap: () => ({ find: ({ words }) => PLACES[words[0]! >>> 24] }),
    random: randomBits(7),
  })
  const address = newAddress()
  for (let i = 0; i < count; i++) {
    const nowMs = START_MS + i * EVERY_MS
    if (i % 35 === 0) {
      BOXES.forEach((box, b) => {
        if (silent.includes(box)) return
        reportLoad(world, `default/${box}`, { utilisation: 0.2 + 0.1 * b + i / 15_000, inFlight: 3 }, nowMs)
      })
    }
    const isDown = i > 500 && i < 1000
    if (down.has('default/a1') !== isDown) {
      setUp(world, 'default/a1', !isDown, Number.NEGATIVE_INFINITY)
      decisions.noteUp('default/a1', !isDown)
      if (isDown) down.add('default/a1')
      else down.delete('default/a1')
    }
    tick(world, nowMs)
    parseAddress(i % 7 === 0 ? '2001:db8::1' : `${[10, 20, 30, 40][i % 4]}.0.${i % 5}.9`, address)
    const file = `default/films/films/${(i * 7) % 60}.mp4`
    const isTitle = i % 11 === 0
    const ask: Ask = {
      ...{ files: isTitle ? [] : [file], title: isTitle ? `Film ${i % 30}` : undefined, catalog: undefined },
      ...{ purpose: (['vod', 'live', 'game'] as const)[i % 3]!, maxUrls: i % 13 === 0 ? 1 : 0, explain: false },
      exclude: i % 17 === 0 ? ['default/a2'] : [],
    }
    decisions.add(steerer.steer(address, ask), address)
    await clock.advance(EVERY_MS)
  }
  await decisions.close()
  return counters
}

async function entries(file = path): Promise<LogEntry[]> {
  const broken = { lines: 0 }
  const found: LogEntry[] = []
  for await (const entry of readDecisions(file, broken)) found.push(entry)
  expect(broken.lines).toBe(0)
  return found
}

function replayed(world: World, all: readonly LogEntry[]): (First | undefined)[] {
  const replay = new Replay(world)
  replay.begin()
  return all.flatMap((entry) => {
    if (entry.type === 'decision') return [replay.decide(entry)]
    replay.take(entry)
    return []
  })
}

test('what was logged comes out again: places, files, titles, exclusions, chances, load and who was down', async () => {
  const counters = await logged()
  const all = await entries()
  const decisions = all.filter((entry) => entry.type === 'decision')
  expect([decisions.length, counters.decisionsLogged]).toEqual([COUNT, COUNT])
  expect(decisions[22]).toMatchObject({
    ...{ atMs: START_MS + 440, network: '30.0.2.0/24', purpose: 'live', catalog: 'default/films', files: [] },
    ...{ title: 'Film 22', site: undefined, region: 'DE', source: 'geo', latitude: 52.5, longitude: 13.4 },
    ...{ policy: 'default/of-then', excluded: [], maxUrls: 0, every: 1 },
  })
  expect(decisions[17]).toMatchObject({ site: 'default/edge-b', source: 'coverage', excluded: ['default/a2'] })
  expect(decisions[26]!.named).toHaveLength(1)
  const bytes = (await readFile(path)).length / COUNT
  expect(bytes).toBeLessThan(120)
  const loads = all.filter((entry) => entry.type === 'loads')
  expect(loads.map(({ atMs }) => atMs - START_MS)).toEqual([0, 10_000, 20_000])

  const world = fleet()
  const firsts = replayed(world, all)
  const share = firsts.filter((first) => first?.asLogged).length / COUNT
  // Load is told in steps, and of who is named: some of the closest choices may differ.
  expect(share).toBeGreaterThan(0.99)
  // The other half of what replays are for: the same again.
  expect(replayed(world, all)).toEqual(firsts)
  // And other policies.
  setPolicies(world, [policy('new', { tiers: ['Parents'] })])
  tick(world, START_MS)
  const after = replayed(world, all)
  const parent = world.applianceOrdinals.get('default/p1')!
  expect(after.filter((first) => first!.appliance >= 0).every((first) => first!.appliance === parent)).toBe(true)
  expect(after.filter((first, i) => first!.appliance !== firsts[i]!.appliance).length).toBeGreaterThan(COUNT / 3)
})

test('what was sent to those that do not say how busy they are comes out again, up to overload', async () => {
  await rm(path, { force: true })
  await logged({}, COUNT, { silent: ['a1', 'a2', 'b1', 'p1'], world: fleet(3) })
  const all = await entries()
  const firsts = replayed(fleet(3), all)
  expect(firsts.filter((first) => first?.asLogged).length / COUNT).toBeGreaterThan(0.995)
  await rm(path)
})

test('files are bounded, and each can be read by itself', async () => {
  await rm(path, { force: true })
  // What waits for a disk that is slow is written at once: each of these is one or two writes.
  for (let i = 0; i < 5; i++) await logged({ maxBytes: 20_000 }, COUNT / 5)
  const names = (await readdir(folder)).filter((name) => name.startsWith('decisions.log'))
  expect(names.length).toBeGreaterThan(3)
  let total = 0
  for (const name of names) {
    const text = await readFile(join(folder, name))
    // What was there before, and what came at once.
    expect(text.length).toBeLessThan(60_000)
    const all = await entries(join(folder, name))
    total += all.filter(({ type }) => type === 'decision').length
    expect(all.every((entry) => entry.type !== 'decision' || entry.named.every((one) => one !== ''))).toBe(true)
    await rm(join(folder, name))
  }
  expect(total).toBe(COUNT)
})

test('a share of them; a restart; a file of another version', async () => {
  await logged({ share: 0.1 })
  const once = (await entries()).filter((entry) => entry.type === 'decision')
  expect([once.length, once[0]!.every]).toEqual([COUNT / 10, 10])
  await logged({ share: 0.1 })
  expect((await entries()).filter(({ type }) => type === 'decision')).toEqual([...once, ...once])
  await writeFile(path, `{"weirDecisions":1}\n[1,"192.0.2.0/24","vod"]\n${await readFile(path, 'utf8')}[19`)
  const broken = { lines: 0 }
  let count = 0
  for await (const { type } of readDecisions(path, broken)) if (type === 'decision') count++
  expect([count, broken.lines]).toEqual([2 * once.length, 2])
  await writeFile(path, 'no log\n')
  await expect(readDecisions(path, broken).next()).rejects.toThrow('is no log of decisions')
})
