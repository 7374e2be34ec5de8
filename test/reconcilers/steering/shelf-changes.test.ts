import { expect, test } from '@jest/globals'
import type { Appliance, Site } from '../../../crds/types.gen.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { findHolders, gather, layoutAt, RECORD_WORDS, SHELF } from '../../../reconcilers/steering/shelf.ts'
import {
  putAppliance,
  putSite,
  removeAppliance,
  removeCatalog,
  setInventory,
  tick,
} from '../../../reconcilers/steering/update.ts'
import type { World } from '../../../reconcilers/steering/world.ts'
import { random } from './random.ts'

const CATALOG = 'test/films'

const site = (name: string) =>
  ({ metadata: { name, namespace: 'test' }, spec: { tier: 'edge', parents: [] } }) as unknown as Site
const appliance = (i: number, at = 'here') =>
  ({
    metadata: { name: `a${i}`, namespace: 'test' },
    spec: { siteRef: { name: at }, hardwareClassRef: { name: 'x' }, mode: 'InService' },
    status: { conditions: [{ type: 'Online', status: 'True' }] },
  }) as unknown as Appliance

/** A site with so many appliances; those that no tick has seen know nothing. */
const worldOf = (count: number) =>
  buildWorld(
    { sites: [site('here'), site('there')], appliances: Array.from({ length: count }, (_, i) => appliance(i)) },
    0,
  )

const advertise = (world: World, i: number, files: FileSet | undefined) =>
  setInventory(world, `test/a${i}`, CATALOG, files?.clone())

/** Files of 0 … `count` - 1 for which lookups say otherwise than that appliance i holds `sets[i]`. `orNothing`: whom they may leave out. */
function wrongFiles(
  world: World,
  sets: readonly (FileSet | undefined)[],
  count: number,
  orNothing = new Set<number>(),
) {
  const records = world.shelves[world.catalogOrdinals.get(CATALOG)!]!
  const wrong: string[] = []
  for (let file = 0; file < count; file++) {
    let shelf = -1
    let who = 0
    for (let i = 0; i < sets.length; i++) {
      const place = world.appliancePlace[i]!
      if (place >> 2 !== shelf) {
        shelf = place >> 2
        who = findHolders(world.lines.words, records, shelf, file)
      }
      const holds = ((who >>> (place % SHELF)) & 1) === 1
      if (holds !== (sets[i]?.has(file) ?? false) && (holds || !orNothing.has(i))) wrong.push(`${i}: ${file}`)
    }
  }
  return wrong
}

/** Adds and takes away runs and single files. */
function changed(set: FileSet, files: number, changes: number, next: () => number): FileSet {
  const after = set.clone()
  for (let i = 0; i < changes; i++) {
    const file = next() % files
    if (next() % 2 === 0) after.add(file)
    else after.delete(file)
  }
  const run = next() % files
  const isFill = next() % 2 === 0
  for (let file = run; file < Math.min(files, run + changes); file++) isFill ? after.add(file) : after.delete(file)
  return after
}

test.each([
  ['few of many files, one or two at a time', 1, 6000, 0.02, 2],
  ['few of many files, with spills', 2, 30_000, 0.1, 150],
  ['most of them, in large steps', 3, 3000, 0.8, 700],
  ['next to nothing', 4, 5000, 0.0005, 1],
  ['a catalog of one word', 5, 30, 0.5, 4],
])('lookups follow fills and evictions of %s', (_, seed, files, share, changes) => {
  const next = random(seed)
  const world = worldOf(SHELF)
  const sets: (FileSet | undefined)[] = Array.from({ length: SHELF }, () => {
    const set = new FileSet()
    for (let i = 0; i < files; i++) if (next() / 2 ** 32 < share) set.add(i)
    return set
  })
  sets.forEach((set, i) => {
    advertise(world, i, set)
  })
  const odd = new Set<number>()
  let inPlace = 0
  for (let step = 0; step < 40; step++) {
    const i = next() % SHELF
    const isFirst = sets[i] === undefined || sets[i].isEmpty
    const roll = next() % 12
    if (roll === 0) sets[i] = undefined
    else sets[i] = changed(sets[i] ?? new FileSet(), files, changes, next)
    const { words } = world.lines
    const before = world.shelves[0]!.slice(0, 4).join()
    advertise(world, i, sets[i])
    if (before === world.shelves[0]!.slice(0, 4).join() && words === world.lines.words) inPlace++
    if (isFirst) odd.add(i)
    if (step % 8 === 7) {
      tick(world, step)
      odd.clear()
    }
    if (step % 5 === 3) expect(wrongFiles(world, sets, Math.min(files + 40, 8000), odd)).toEqual([])
  }
  tick(world, 100)
  expect(wrongFiles(world, sets, files + 40)).toEqual([])
  // Most changes are made where the shelf is, unless there is next to nothing on it.
  if (share > 0.01 && files > 100) expect(inPlace).toBeGreaterThan(15)
})

test('a shelf that grows beyond its spill is packed anew, and one that empties gives its lines back', () => {
  const world = worldOf(SHELF)
  const sets = Array.from({ length: SHELF }, (_, i) => FileSet.of(Array.from({ length: 2000 }, (_, f) => f * 20 + i)))
  sets.forEach((set, i) => {
    advertise(world, i, set)
  })
  const record = () => layoutAt(world.shelves[0]!, 0)
  const lines = [record().lines]
  for (let step = 0; step < 30; step++) {
    for (let f = 0; f < 100; f++) sets[1]!.add(step * 100 + f)
    advertise(world, 1, sets[1])
    lines.push(record().lines)
    expect(record().spillBits).toBeLessThan(12)
  }
  expect(wrongFiles(world, sets, 40_000)).toEqual([])
  const layouts = new Set(lines).size
  // A third more files, one in a hundred at a time.
  expect(layouts).toBeGreaterThan(2)
  expect(layouts).toBeLessThan(8)
  sets.forEach((_, i) => {
    advertise(world, i, i < 3 ? undefined : new FileSet())
  })
  expect(world.lines.used).toBe(0)
  expect([...world.shelves[0]!.subarray(0, RECORD_WORDS)]).toEqual([0, 0, 0, 0])
})

test('files that crowd a line come and go through the spill', () => {
  const world = worldOf(SHELF)
  const bits = 16
  const spread = FileSet.of(Array.from({ length: 3000 }, (_, i) => gather(i * 20, bits)))
  spread.add(65_535)
  for (const i of [0, 1, 2, 3]) advertise(world, i, spread)
  for (const count of [30, 290, 3]) {
    const crowd = spread.union(FileSet.of(Array.from({ length: count }, (_, i) => gather(1000 + i, bits))))
    advertise(world, 2, crowd)
    expect(wrongFiles(world, [spread, spread, crowd, spread], 2 ** bits)).toEqual([])
  }
})

test('of first inventories nothing is in force before the tick or the fourth of a shelf, and then everything', () => {
  const world = worldOf(6)
  const sets = Array.from({ length: 6 }, (_, i) => FileSet.of([i, 100, 500 + i * 40]))
  const used = () => world.lines.used
  for (const i of [4, 0, 1, 2]) advertise(world, i, sets[i])
  expect(used()).toBe(0)
  // What is taken back before it was in force never is; a later word replaces an earlier one.
  advertise(world, 1, undefined)
  advertise(world, 2, FileSet.of([7]))
  expect(used()).toBe(0)
  tick(world, 1)
  const first = [sets[0], undefined, FileSet.of([7]), undefined, sets[4], undefined]
  expect(wrongFiles(world, first, 1000)).toEqual([])
  // A second inventory is in force at once, and so is its end, while a third waits beside it.
  advertise(world, 1, sets[1])
  advertise(world, 0, FileSet.of([1]))
  expect(wrongFiles(world, [FileSet.of([1]), sets[1], ...first.slice(2)], 1000, new Set([1]))).toEqual([])
  advertise(world, 0, undefined)
  tick(world, 2)
  expect(wrongFiles(world, [undefined, sets[1], ...first.slice(2)], 1000)).toEqual([])
})

test('what waits goes with its appliance, and ends with it and with its catalog', () => {
  const world = worldOf(4)
  putSite(world, site('there'))
  const sets = Array.from({ length: 4 }, (_, i) => FileSet.of([i, 60]))
  for (const i of [0, 1, 2]) advertise(world, i, sets[i])
  putAppliance(world, appliance(1, 'there'))
  removeAppliance(world, 'test/a2')
  tick(world, 1)
  expect(wrongFiles(world, [sets[0], sets[1], undefined, undefined], 100)).toEqual([])
  expect(world.appliancePlace[1]! >> 2).not.toBe(world.appliancePlace[0]! >> 2)
  advertise(world, 3, sets[3])
  removeCatalog(world, CATALOG)
  tick(world, 2)
  expect(wrongFiles(world, [undefined, undefined, undefined, undefined], 100)).toEqual([])
  expect(world.lines.used).toBe(0)
})

test('no more than a few shelves wait at once', () => {
  const world = worldOf(SHELF * 50)
  for (let i = 0; i < SHELF * 50; i += SHELF) advertise(world, i, FileSet.of([i]))
  expect(world.waitingShelves.size).toBe(32)
  tick(world, 1)
  expect(world.waitingShelves.size).toBe(0)
  const wrong = wrongFiles(
    world,
    Array.from({ length: SHELF * 50 }, (_, i) => (i % SHELF === 0 ? FileSet.of([i]) : undefined)),
    256,
  )
  expect(wrong).toEqual([])
})

test('a shelf that there is no memory for is left out until it needs less, and others stay', () => {
  const world = worldOf(8)
  const few = FileSet.of([1, 2])
  for (const i of [0, 4]) advertise(world, i, few)
  tick(world, 1)
  const { lines } = world
  const free = 65_536 - lines.used
  // All 4 GiB, of which nobody writes to anything.
  lines.allocate(2 ** 26 - 65_536)
  lines.allocate(free)
  advertise(world, 1, FileSet.of(Array.from({ length: 5000 }, (_, file) => file)))
  tick(world, 2)
  expect(world.shelvesLeftOut).toBe(1)
  expect(wrongFiles(world, [undefined, undefined, undefined, undefined, few], 5000)).toEqual([])
  advertise(world, 1, few)
  tick(world, 3)
  expect(wrongFiles(world, [undefined, few, undefined, undefined, few], 5000)).toEqual([])
})
