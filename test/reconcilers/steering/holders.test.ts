import { expect, test } from '@jest/globals'
import type { Appliance, Site } from '../../../crds/types.gen.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { mayHold, renewHolders } from '../../../reconcilers/steering/holders.ts'
import {
  putAppliance,
  removeAppliance,
  removeCatalog,
  setInventory,
  tick,
} from '../../../reconcilers/steering/update.ts'
import type { World } from '../../../reconcilers/steering/world.ts'
import { random } from './random.ts'

const SITES = 9
const APPLIANCES = 40
const FILES = 900
const CATALOGS = ['test/films', 'test/games']

const site = (i: number) =>
  ({ metadata: { name: `s${i}`, namespace: 'test' }, spec: { tier: 'edge', parents: [] } }) as unknown as Site
/** Sites of one appliance and of a dozen, so that some have several shelves. */
const appliance = (i: number, at = Math.floor((i * i * SITES) / APPLIANCES ** 2)) =>
  ({
    metadata: { name: `a${i}`, namespace: 'test' },
    spec: { siteRef: { name: `s${at}` }, hardwareClassRef: { name: 'x' }, mode: 'InService' },
    status: { conditions: [{ type: 'Online', status: 'True' }] },
  }) as unknown as Appliance

/** A world, and who holds what in it: by catalog, by appliance. */
class Fleet {
  readonly world: World = buildWorld(
    {
      sites: Array.from({ length: SITES }, (_, i) => site(i)),
      appliances: Array.from({ length: APPLIANCES }, (_, i) => appliance(i)),
    },
    0,
  )
  readonly held = CATALOGS.map(() => new Map<number, FileSet>())

  set(i: number, catalog: number, files: FileSet | undefined): void {
    if (files) this.held[catalog]!.set(i, files)
    else this.held[catalog]!.delete(i)
    setInventory(this.world, `test/a${i}`, CATALOGS[catalog]!, files?.clone())
  }

  /** Files that the masks say nobody at the site of somebody who holds them holds. */
  missing(): string[] {
    const wrong: string[] = []
    for (const [catalog, byAppliance] of this.held.entries()) {
      const masks = this.world.holders[this.world.catalogOrdinals.get(CATALOGS[catalog]!) ?? -1]
      for (const [i, files] of byAppliance) {
        const at = this.world.applianceSite[i]!
        for (const file of files) if (!mayHold(masks?.[file] ?? 0, at)) wrong.push(`${catalog}: ${i}: ${file}`)
      }
    }
    return wrong
  }

  /** Files and sites of which the masks say that somebody may hold the file, and nobody at any site of this bit does. */
  tooMuch(): number {
    let count = 0
    for (const [catalog, byAppliance] of this.held.entries()) {
      const masks = this.world.holders[this.world.catalogOrdinals.get(CATALOGS[catalog]!)!]!
      for (let file = 0; file < masks.length; file++) {
        for (let bit = 0; bit < 32; bit++) {
          if (((masks[file]! >>> bit) & 1) === 0) continue
          const is = (i: number) => mayHold(1 << bit, this.world.applianceSite[i]!)
          if (![...byAppliance].some(([i, files]) => files.has(file) && is(i))) count++
        }
      }
    }
    return count
  }
}

const some = (next: () => number) => FileSet.of(Array.from({ length: next() % 300 }, () => next() % FILES))

test('while masks are made anew, no bit is missing of what anybody holds, whatever changes meanwhile', () => {
  const next = random(5)
  const fleet = new Fleet()
  const { world } = fleet
  let laps = 0
  for (let step = 0; step < 1500; step++) {
    const i = next() % APPLIANCES
    const catalog = next() % CATALOGS.length
    const roll = next() % 100
    if (roll < 60) fleet.set(i, catalog, next() % 3 === 0 ? undefined : some(next))
    else if (roll < 75) putAppliance(world, appliance(i, next() % SITES))
    else if (roll < 80) {
      removeAppliance(world, `test/a${i}`)
      for (const byAppliance of fleet.held) byAppliance.delete(i)
      putAppliance(world, appliance(i))
    } else if (roll < 82) {
      removeCatalog(world, CATALOGS[catalog]!)
      fleet.held[catalog]!.clear()
    } else if (roll < 90) tick(world, step)
    if (renewHolders(world, next() % 40)) laps++
    if (step % 10 === 0) expect(fleet.missing()).toEqual([])
  }
  expect(laps).toBeGreaterThan(20)
})

test('masks that have been made anew say no more of withdrawn files', () => {
  const next = random(8)
  const fleet = new Fleet()
  for (let i = 0; i < APPLIANCES; i++) for (const catalog of [0, 1]) fleet.set(i, catalog, some(next))
  tick(fleet.world, 1)
  for (let i = 0; i < APPLIANCES; i++)
    for (const catalog of [0, 1]) fleet.set(i, catalog, i % 4 > 0 ? some(next) : undefined)
  tick(fleet.world, 2)
  expect(fleet.tooMuch()).toBeGreaterThan(1000)
  while (!renewHolders(fleet.world, 10));
  expect(fleet.missing()).toEqual([])
  expect(fleet.tooMuch()).toBe(0)
})
