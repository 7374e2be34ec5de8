import { expect, test } from '@jest/globals'
import { type CatalogFile, catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { catalogFilesAt } from '../../../reconcilers/blobs/catalog-lines.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'

const file = (path: string): CatalogFile => ({ path, size: path.length, sha256: 'a'.repeat(64) })
const files = [file('a'), null, file('line\nbreak'), file('😀'), null, file('last')]
const blob = encodeCatalog(catalogOf(files))
const at = (bytes: Uint8Array, ...indices: number[]) => [...catalogFilesAt(bytes, FileSet.of(indices))]

test('gives the files at the wanted indices, as decoding the whole would', () => {
  expect(at(blob, 0, 1, 2, 3, 4, 5)).toEqual(files.map((entry, i) => [i, entry]))
  expect(at(blob, 5, 2)).toEqual([
    [2, files[2]],
    [5, files[5]],
  ])
  expect(at(blob)).toEqual([])
  expect(at(blob, 99)).toEqual([])
})

test('refuses what is no catalog, and only looks at what is wanted', () => {
  expect(() => at(Buffer.from(''), 0)).toThrow('not a catalog of version 1')
  expect(() => at(Buffer.from('{"weirSet":1}\n'), 0)).toThrow('not a catalog of version 1')
  expect(() => at(Buffer.from('{\n'), 0)).toThrow('line 1 is not JSON')
  const torn = Buffer.from('{"weirCatalog":1}\nnull\n{"path"\n')
  expect(at(torn, 0)).toEqual([[0, null]])
  expect(() => at(torn, 1)).toThrow('line 3 is not JSON')
})
