import { expect, test } from '@jest/globals'
import { type CatalogFile, catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { catalogFilesAt, StoredCatalogFiles } from '../../../reconcilers/blobs/catalog-lines.ts'
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

test('files gone through one after the other are those that decoding gives, each time', () => {
  const stored = new StoredCatalogFiles(blob)
  expect(stored.length).toBe(files.length)
  expect([...stored]).toEqual(files)
  expect([...stored]).toEqual(files)
  expect([...new StoredCatalogFiles(encodeCatalog(catalogOf([])))]).toEqual([])
})

test('what is no catalog is refused before it is gone through, a bad line when it is reached', () => {
  expect(() => new StoredCatalogFiles(Buffer.from(''))).toThrow('line 1 is not JSON')
  expect(() => new StoredCatalogFiles(Buffer.from('{"weirSet":1}\n'))).toThrow('not a catalog of version 1')
  const torn = new StoredCatalogFiles(Buffer.from('{"weirCatalog":1}\nnull\n{"path"\n'))
  expect(torn.length).toBe(2)
  expect(() => [...torn]).toThrow('line 3 is not JSON')
})

test('of a file that was removed and is remembered there is no more than of one that is not', () => {
  const remembered = encodeCatalog(catalogOf(files, new Map([[1, 'ab'.repeat(16)]])))
  expect(Buffer.from(remembered).toString()).toContain('\n{"gone":"abab')
  expect([...new StoredCatalogFiles(remembered)]).toEqual(files)
  expect(at(remembered, 1, 4)).toEqual([
    [1, null],
    [4, null],
  ])
})
