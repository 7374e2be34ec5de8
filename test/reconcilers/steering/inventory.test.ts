import { expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { holds, packInventory, unpackInventory } from '../../../reconcilers/steering/inventory.ts'
import { random } from './random.ts'

test.each([
  ['nothing', 0],
  ['one in a thousand', 0.001],
  ['one in a hundred', 0.01],
  ['five in a hundred', 0.05],
  ['a fifth', 0.2],
  ['half', 0.5],
  ['nearly all', 0.999],
  ['all', 1],
])('an inventory with %s of the files holds exactly these', (_, share) => {
  const next = random(9)
  const files = 20_000
  const set = new FileSet()
  for (let i = 0; i < files; i++) if (next() / 2 ** 32 < share) set.add(i)
  // A block that is full and one that is empty, beside the others.
  for (let i = 4096; i < 5120; i++) set.add(i)
  for (let i = 8192; i < 9216; i++) set.delete(i)
  const packed = packInventory(set)
  const wrong = []
  for (let i = 0; i < files + 40_000; i++) if (holds(packed, i) !== set.has(i)) wrong.push(i)
  expect(wrong).toEqual([])
  expect(unpackInventory(packed).equals(set)).toBe(true)
  for (const odd of [-1, 2 ** 31, 2 ** 32 - 1, 1e9]) expect(holds(packed, odd)).toBe(false)
})

test('three files in a hundred of a million take 38 KB', () => {
  const next = random(3)
  const set = FileSet.of(Array.from({ length: 30_000 }, () => next() % 1_000_000))
  expect(packInventory(set).byteLength).toBeLessThan(39_000)
  expect(packInventory(new FileSet()).byteLength).toBe(4)
})

test('the ends of blocks and buckets', () => {
  const edges = [0, 31, 32, 63, 64, 1022, 1023, 1024, 1025, 2047, 2048]
  const packed = packInventory(FileSet.of(edges))
  expect(Array.from({ length: 3000 }, (_, i) => i).filter((i) => holds(packed, i))).toEqual(edges)
})
