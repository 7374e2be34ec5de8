import { expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { type Bands, ONLY_ABOVE } from '../../../../reconcilers/placement/solver/bands.ts'
import { mostMoved } from '../../../../reconcilers/placement/solver/lost.ts'

const FILES = 6
const bands = (copies: readonly number[]) =>
  ({ sizes: Float64Array.from({ length: FILES }, (_, f) => 10 ** f), copies: Uint8Array.from(copies) }) as Bands
const one = [1, 1, 1, 1, 1, 1]

test.each<[name: string, gone: number[][], here: (number[] | undefined)[], copies: number[], most: number]>([
  ['nobody left: whatever pays', [], [[0, 1]], one, Number.POSITIVE_INFINITY],
  ['what only it held', [[0, 1, 2]], [[1, 3], [4]], one, 101],
  [
    'what several held that all left, once',
    [
      [0, 1],
      [1, 2],
    ],
    [[3]],
    one,
    111,
  ],
  ['nothing, where others hold it all', [[0, 1]], [[0], [1]], one, 0],
  ['files that are not to be placed any more are not missed', [[0, 1]], [[]], [0, 1, 1, 1, 1, 1], 10 + 1000],
  ['files that only a parent may hold are not missed', [[0, 1]], [[2]], [ONLY_ABOVE, 1, 1, 1, 1, 1], 10],
  ['copies that are short now', [[0, 1]], [[0], [2]], [2, 2, 2, 2, 2, 2], 1 + 20],
  ['what files that went from the catalog leave free', [[0]], [[1, 9], [2]], one, 1 + 990],
  ['what one that joined meanwhile takes', [[0]], [[1], undefined], one, 1 + 1000],
])('%s', (_name, gone, here, copies, most) => {
  const appliances = here.map((held, i) => ({
    key: `a-${i}`,
    storageBytes: 1000,
    throughputGbps: 1,
    ...(held && { held: FileSet.of(held) }),
  }))
  expect(
    mostMoved(
      appliances,
      gone.map((files, i) => ({ key: `gone-${i}`, storageBytes: 0, throughputGbps: 0, held: FileSet.of(files) })),
      bands(copies),
    ),
  ).toBe(most)
})
