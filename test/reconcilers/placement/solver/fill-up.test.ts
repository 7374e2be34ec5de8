import { expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { cutBands, placedFiles } from '../../../../reconcilers/placement/solver/bands.ts'
import { isRoomLeft, limitToFree } from '../../../../reconcilers/placement/solver/fill-up.ts'
import { Boxes } from '../../../../reconcilers/placement/solver/spread.ts'

const FILES = 10
const sizes = new Float64Array(FILES).fill(10)

interface Case {
  readonly name: string
  readonly storage: number
  /** Undefined: the appliance is new. */
  readonly before?: readonly number[]
  readonly now: readonly number[]
  /** Not to be placed any more. */
  readonly gone?: readonly number[]
  readonly limit: number
}

// Each has a neighbour that is full, so that the site was planned before, and far too small a one for all files.
test.each<Case>([
  { name: 'a full one that gives files up keeps the room', storage: 40, before: [0, 1, 2, 3], now: [2, 3], limit: 20 },
  {
    name: 'one that gives up as much as it gets is full',
    storage: 40,
    before: [0, 1, 2, 3],
    now: [2, 3, 4, 5],
    limit: 40,
  },
  { name: 'what was free before is filled', storage: 40, before: [0, 1], now: [0, 1], limit: 40 },
  { name: 'what was free before is filled, and no more', storage: 40, before: [0, 1], now: [1], limit: 30 },
  { name: 'what came already was put into what was free', storage: 40, before: [0, 1], now: [1, 2], limit: 30 },
  { name: 'a new one is filled', storage: 40, now: [0], limit: 40 },
  { name: 'one that was to hold nothing is filled', storage: 40, before: [], now: [0], limit: 40 },
  {
    name: 'files that went leave room that was free',
    storage: 40,
    before: [0, 1, 2, 3],
    now: [2, 3],
    gone: [0, 1],
    limit: 40,
  },
  { name: 'storage that shrank has none', storage: 30, before: [0, 1, 2, 3], now: [1, 2], limit: 20 },
  {
    name: 'files beyond the last, of another catalog, are not missed',
    storage: 40,
    before: [2, 99],
    now: [2],
    limit: 40,
  },
  { name: 'all that is left fits', storage: 100, before: [0, 1, 2, 3, 4, 5, 6, 7], now: [0, 1], limit: 100 },
])('$name', ({ storage, before, now, gone = [], limit }) => {
  const copies = Uint8Array.from(sizes, (_, f) => (gone.includes(f) ? 0 : 1))
  const placed = placedFiles(sizes, Uint32Array.from(sizes.keys()))
  const bands = cutBands(
    placed,
    Float64Array.from(sizes, () => 1 / FILES),
    copies,
    4,
  )
  const boxes = new Boxes([
    { key: 'a', storage, throughput: 1, ...(before && { before: FileSet.of(before) }) },
    { key: 'b', storage: 10, throughput: 1, before: FileSet.of([9]) },
  ])
  for (const file of now) boxes.holds[0]!.add(file)
  boxes.holds[1]!.add(9)
  boxes.used.set([now.length * 10, 10])
  const holds = Uint8Array.from(bands.order, (file) => Number(now.includes(file) || file === 9))
  limitToFree(boxes, bands, holds)
  expect(boxes.limit[0]).toBe(limit)
  expect(boxes.limit[1]).toBe(10)
  expect(isRoomLeft(boxes)).toBe(limit < storage)
})
