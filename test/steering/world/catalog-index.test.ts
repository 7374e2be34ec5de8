import { expect, test } from '@jest/globals'
import { CatalogIndex, catalogTables } from '../../../steering/world/catalog-index.ts'

const indexOf = (files: readonly { readonly path: string; readonly title?: string }[]) =>
  new CatalogIndex('sha256:0', catalogTables(files, files.length, 1024))

test('titles in scripts that no label can say are found by themselves', () => {
  const titles = Array.from({ length: 30_000 }, (_, i) => String.fromCharCode(0x4e00 + (i % 200), 0x4e00 + i / 200))
  const startedMs = performance.now()
  const index = indexOf(titles.map((title, i) => ({ path: `f/${i}`, title })))
  expect(titles.filter((title, i) => index.titled(title)?.entry !== i)).toEqual([])
  expect(index.titled('進')?.entry).toBeUndefined()
  expect(index.labelled('')).toBeUndefined()
  // Looked through one after the other, they take minutes.
  expect(performance.now() - startedMs).toBeLessThan(10_000)
})

test('of titles with one label the first is found by it, each by its name', () => {
  const index = indexOf([
    { path: 'a', title: 'Amélie' },
    { path: 'b', title: 'Amelie' },
    { path: 'c', title: 'Amelie!' },
    { path: 'd' },
  ])
  expect(index.labelled('amelie')).toMatchObject({ entry: 0 })
  expect(['Amélie', 'Amelie', 'Amelie!', 'amelie'].map((title) => index.titled(title)?.entry)).toEqual([
    0,
    1,
    2,
    undefined,
  ])
})
