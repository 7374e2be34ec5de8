import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { mix } from '../../reconcilers/placement/hash.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { decide, newScratch } from '../../reconcilers/steering/decide.ts'
import { BUILT_IN_POLICY } from '../../reconcilers/steering/policy.ts'
import { PURPOSES, type Purpose, type SteerRequest } from '../../reconcilers/steering/types.ts'
import {
  noteSent,
  putAppliance,
  putSite,
  removeAppliance,
  reportLoad,
  setInventory,
  setUp,
  tick,
} from '../../reconcilers/steering/update.ts'
import { appliance, hardwareClass, site } from '../reconcilers/fleet.ts'
import { random } from '../reconcilers/steering/random.ts'

/**
 * Millions of plays while appliances fill, evict, fail, return, drain, move and report nonsense: no answer may name an appliance that does not verifiably
 * hold every file, is down, drained or excluded. What is true is kept apart from the world, a byte per file and appliance.
 * `steering-plays.ts [PLAYS [SEED]]`
 */
const plays = Number(process.argv[2] ?? 2_000_000)
const seed = Number(process.argv[3] ?? 1)
const SITES = 40
const APPLIANCES = 160
const FILES = 20_000
const CATALOG = 'default/films'
const START_MS = 1_900_000_000_000

const next = random(seed)
const started = performance.now()

const siteObject = (s: number) =>
  site(`s${s}`, {
    metro: `m${s % 12}`,
    tier: s < 4 ? 'regional' : 'edge',
    parents: s < 4 ? [] : [{ name: `s${s % 4}` }, { name: `s${(s + 1) % 4}` }],
  })
const applianceObject = (a: number, at: number, mode: 'InService' | 'Draining') =>
  appliance(`a${a}`, `s${at}`, {
    spec: { mode },
    status: {
      addresses: [{ type: 'HTTP', url: `http://a${a}.example` }],
      conditions: [{ type: 'Online', status: 'True', reason: 'Heartbeat', message: '', lastTransitionTime: '' }],
    },
  })
const keyOf = (a: number) => `default/a${a}`

/** What is true, by appliance. */
interface Truth {
  readonly verified: Uint8Array
  up: boolean
  inService: boolean
  there: boolean
  at: number
}
const truths: Truth[] = Array.from({ length: APPLIANCES }, (_, a) => ({
  verified: new Uint8Array(FILES),
  up: true,
  inService: true,
  there: true,
  at: a % SITES,
}))

const world = buildWorld(
  {
    sites: Array.from({ length: SITES }, (_, s) => siteObject(s)),
    appliances: truths.map(({ at }, a) => applianceObject(a, at, 'InService')),
    hardwareClasses: [hardwareClass('small', 1e12)],
    policies: [
      {
        metadata: { namespace: 'default', name: 'all' },
        spec: {
          ...BUILT_IN_POLICY.spec,
          priority: 0,
          tiers: ['Site', 'Siblings', 'Parents', 'Region', 'Fallback'],
          fallbacks: [{ url: 'https://cloud.example' }],
        },
      },
    ],
  },
  START_MS,
)

let nowMs = START_MS
const counts = { fills: 0, evictions: 0, failures: 0, returns: 0, drains: 0, moves: 0, removals: 0, absurd: 0 }

function publish(a: number): void {
  const { verified, there } = truths[a]!
  const set = new FileSet(new Uint32Array(Math.ceil(FILES / 32)))
  for (let f = 0; f < FILES; f++) if (verified[f] === 1) set.add(f)
  if (there) setInventory(world, keyOf(a), CATALOG, set)
}

/** Verified first, then advertised. */
function fill(a: number): void {
  counts.fills++
  const from = next() % FILES
  const to = Math.min(FILES, from + (next() % 2000))
  for (let f = from; f < to; f++) if (mix(f ^ a) % 3 === 0) truths[a]!.verified[f] = 1
  publish(a)
}

/** Withdrawn first, then evicted: from the moment of the withdrawal on nobody may be sent there. */
function evict(a: number): void {
  counts.evictions++
  const from = next() % FILES
  truths[a]!.verified.fill(0, from, Math.min(FILES, from + (next() % 3000)))
  publish(a)
}

function fail(a: number): void {
  counts.failures++
  truths[a]!.up = false
  setUp(world, keyOf(a), false, nowMs)
}

function comeBack(a: number): void {
  counts.returns++
  truths[a]!.up = true
  setUp(world, keyOf(a), true, nowMs)
}

function drainOrNot(a: number): void {
  if (!truths[a]!.there) return
  counts.drains++
  truths[a]!.inService = !truths[a]!.inService
  putAppliance(world, applianceObject(a, truths[a]!.at, truths[a]!.inService ? 'InService' : 'Draining'))
}

function move(a: number): void {
  if (!truths[a]!.there) return
  counts.moves++
  truths[a]!.at = next() % SITES
  putAppliance(world, applianceObject(a, truths[a]!.at, truths[a]!.inService ? 'InService' : 'Draining'))
  putSite(world, siteObject(truths[a]!.at))
}

/** Removed and made again: it holds nothing until it says so, and is down until it answers. */
function remove(a: number): void {
  counts.removals++
  const truth = truths[a]!
  if (truth.there) {
    removeAppliance(world, keyOf(a))
    truth.there = false
    truth.verified.fill(0)
  } else {
    truth.there = true
    truth.up = true
    putAppliance(world, applianceObject(a, truth.at, truth.inService ? 'InService' : 'Draining'))
  }
}

const ABSURD = [Number.NaN, -5, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

function report(a: number): void {
  const absurd = next() % 10 === 0
  if (absurd) counts.absurd++
  const value = absurd ? ABSURD[next() % ABSURD.length]! : (next() % 1000) / 900
  reportLoad(world, keyOf(a), { inFlight: absurd ? value : next() % 500, utilisation: value }, nowMs)
}

function darken(s: number): void {
  truths.forEach((truth, a) => {
    if (truth.at === s && truth.up) fail(a)
  })
}

function event(): void {
  const a = next() % APPLIANCES
  const kind = next() % 100
  if (kind < 25) fill(a)
  else if (kind < 45) evict(a)
  else if (kind < 52) fail(a)
  else if (kind < 62) comeBack(a)
  else if (kind < 67) drainOrNot(a)
  else if (kind < 69) move(a)
  else if (kind < 72) remove(a)
  else if (kind < 73) darken(next() % SITES)
  else report(a)
}

for (let a = 0; a < APPLIANCES; a++) for (let i = 0; i < 6; i++) fill(a)
tick(world, nowMs)

const scratch = newScratch()
const catalog = world.catalogOrdinals.get(CATALOG)!
const request = {
  client: { site: 0, region: 0, networkClass: 0, source: 'given' as const },
  catalog,
  files: [0] as number[],
  purpose: 'vod' as Purpose,
  excluded: [] as number[],
  affinityKey: 0,
  canaryKey: 0,
  seed: 0,
  maxUrls: 0,
  explain: false as boolean,
} satisfies SteerRequest

const wrong: string[] = []
let named = 0
let answered = 0
let withoutAppliance = 0
const misses = { none: 0, content: 0, health: 0, capacity: 0 }

function check(play: number): void {
  const answer = decide(world, request, scratch)
  misses[answer.miss]++
  if (answer.count > 0) answered++
  let appliances = 0
  for (let i = 0; i < answer.count; i++) {
    const a = answer.appliances[i]!
    if (a < 0) continue
    appliances++
    const truth = truths[Number(world.applianceKeys[a]!.slice('default/a'.length))]!
    const lacks = request.files.find((f) => truth.verified[f] !== 1)
    const why =
      lacks !== undefined
        ? `lacks file ${lacks}`
        : !truth.there
          ? 'is gone'
          : !truth.up
            ? 'is down'
            : !truth.inService
              ? 'is drained'
              : request.excluded.includes(a)
                ? 'is excluded'
                : undefined
    if (why) wrong.push(`play ${play}: ${world.applianceKeys[a]} ${why}`)
  }
  named += appliances
  if (appliances === 0) withoutAppliance++
  const first = answer.appliances[0]!
  if (answer.count > 0 && first >= 0) noteSent(world, first, 0.0005)
}

for (let play = 0; play < plays; play++) {
  if (play % 100 === 0) {
    event()
    nowMs += 50
    if (play % 1000 === 0) tick(world, nowMs)
  }
  request.client.site = (next() % (SITES + 1)) - 1
  const file = next() % FILES
  // A tenth asks for several files at once, a hundredth for what no catalog has.
  request.files = next() % 10 === 0 ? [file, (file + 1) % FILES, (file + 2) % FILES] : [file]
  if (next() % 100 === 0) request.files = [FILES + (next() % 1_000_000)]
  request.purpose = PURPOSES[next() % 3]!
  request.excluded = next() % 5 === 0 ? [next() % APPLIANCES, next() % APPLIANCES] : []
  request.affinityKey = mix(file >>> 3)
  request.canaryKey = next()
  request.seed = next()
  request.explain = play % 10_000 === 0
  check(play)
}

const share = (part: number) => `${((100 * part) / plays).toFixed(1)} %`
console.error(
  `${plays} plays in ${((performance.now() - started) / 1000).toFixed(1)} s, ${named} appliances named, ${share(withoutAppliance)} of plays without one; misses: content ${share(misses.content)}, health ${share(misses.health)}, capacity ${share(misses.capacity)}`,
)
console.error(
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', '),
)
console.error(`${wrong.length} answers named an appliance that they should not have`)
for (const one of wrong.slice(0, 10)) console.error(`  ${one}`)
// A drill in which nothing happens proves nothing.
const idle = Object.entries(counts).filter(([, count]) => count === 0 && plays >= 100_000)
if (wrong.length > 0 || idle.length > 0 || named < plays / 4 || answered < plays * 0.9) process.exitCode = 1
