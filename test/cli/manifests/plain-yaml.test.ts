import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readCarefully } from '../../../cli/manifests/careful/careful-yaml.ts'
import { type Located, locate } from '../../../cli/manifests/locate.ts'
import { located } from '../../../cli/manifests/plain/located.ts'
import type { PlainNode } from '../../../cli/manifests/plain/plain-node.ts'
import { readPlainYaml } from '../../../cli/manifests/plain/plain-yaml.ts'
import { splitDocuments } from '../../../cli/manifests/split.ts'
import { Random } from '../../oracle/random.ts'
import { mutated, randomYaml } from './random-yaml.ts'

const root = join(import.meta.dirname, '../../..')
const folders = ['crds', 'examples/quickstart', 'examples/gitops/base']
const corpus = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8')
      return [...splitDocuments(text)].map(({ start, end }) => text.slice(start, end))
    }),
)

/**
 * What the plain reader and the careful one, which is the `yaml` package, make of the same text: they must agree on the value and on every place,
 * or the plain one must have given up. Gives whether it read it.
 */
function compare(text: string): boolean {
  const plain = readPlainYaml(text, 0, text.length)
  if (!plain.ok) return false
  const careful = readCarefully(text)
  if ('errors' in careful) throw new Error(`read, but wrong (${careful.errors[0]?.message}): ${JSON.stringify(text)}`)
  const told = JSON.stringify(text)
  expect({ text, value: plain.value, ambiguous: plain.ambiguous }).toEqual({
    text,
    value: careful.value,
    ambiguous: careful.ambiguous,
  })
  // toEqual takes -0 and 0 for different, and undefined fields for absent ones, of which there are none here.
  const traced = readPlainYaml(text, 0, text.length, true)
  if (!traced.ok || !traced.node) throw new Error(`not read again: ${told}`)
  expect(traced.value).toEqual(plain.value)
  samePlaces(text, traced.node, located(traced.node), careful.root, [])
  return true
}

/** Of what spans lines, and of collections, only the start matters: nothing shows more. */
function samePlaces(text: string, node: PlainNode, plain: Located, careful: Located, path: (string | number)[]): void {
  // Where nothing is written, what it is in is pointed at.
  const isWide = node.entries !== undefined || node.start === node.end
  for (const part of ['value', 'key'] as const) {
    const [ours, theirs] = [locate(plain, path, part), locate(careful, path, part)].map(({ start, end }) => {
      const length = text.slice(start).search(/\r?\n/)
      const lineEnd = length < 0 ? text.length : start + length
      return isWide && (part === 'value' || typeof path.at(-1) !== 'string') ? start : [start, Math.min(lineEnd, end)]
    })
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
      throw new Error(`${part} of ${path.join('.')}: ${JSON.stringify([ours, theirs])} in ${JSON.stringify(text)}`)
    }
  }
  for (const [step, entry] of node.entries ?? []) samePlaces(text, entry.node, plain, careful, [...path, step])
}

describe('plain YAML is read as the careful reader reads it', () => {
  test('of the manifests that there are, all are plain', () => {
    expect(corpus.filter((text) => !compare(text))).toEqual([])
    expect(corpus.length).toBeGreaterThan(20)
  })

  test.each([1, 2, 3])('generated, seed %i', (seed) => {
    const random = new Random(seed)
    let read = 0
    for (let i = 0; i < 400; i++) if (compare(randomYaml(random))) read++
    // Else nothing was compared.
    expect(read).toBeGreaterThan(150)
  })

  test('manifests with mistakes', () => {
    const random = new Random(4)
    const small = corpus.filter((text) => text.length < 4000)
    let read = 0
    for (let i = 0; i < 400; i++) if (compare(mutated(random, random.of(small)))) read++
    expect(read).toBeGreaterThan(30)
  })
})
