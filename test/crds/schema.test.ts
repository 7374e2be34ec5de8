import { describe, expect, test } from '@jest/globals'
import { conditions } from '../../crds/reasons.ts'
import type { Schema } from '../../scripts/generate/crd.ts'
import { crdFiles } from './samples.ts'

interface Field {
  readonly path: string
  readonly schema: Schema
  readonly isItem: boolean
}

function* fields(path: string, schema: Schema): Generator<Field> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield { path: `${path}.${name}`, schema: field, isItem: false }
    yield* fields(`${path}.${name}`, field)
  }
  for (const items of [schema.items, schema.additionalProperties]) {
    if (!items) continue
    yield { path: `${path}[]`, schema: items, isItem: true }
    yield* fields(`${path}[]`, items)
  }
}

const kinds = crdFiles.map(({ crd }) => {
  const [version] = crd.spec.versions
  return { kind: crd.spec.names.kind, version, all: [...fields('', version.schema.openAPIV3Schema)] }
})

describe.each(kinds)('$kind', ({ kind, version, all }) => {
  test('says what every field is, in sentences', () => {
    const silent = all.filter(({ schema }) => !/^[A-Z`].*[.:]$/s.test(schema.description?.trim() ?? ''))
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  test('gives an example of every value', () => {
    const leaves = all.filter(({ schema }) => !schema.properties && !schema.items)
    expect(leaves.filter(({ schema }) => schema.example === undefined).map(({ path }) => path)).toEqual([])
  })

  test('bounds everything that could grow: CEL costs are estimated from it, and no object may exceed 64 KiB by accident', () => {
    const unbounded = all.filter(({ schema }) => {
      if (schema.type === 'array') return schema.maxItems === undefined
      if (schema.additionalProperties) return schema.maxProperties === undefined
      if (schema.type === 'string')
        return schema.maxLength === undefined && !schema.enum && schema.format !== 'date-time'
      return false
    })
    expect(unbounded.map(({ path }) => path)).toEqual([])
  })

  test('says how server-side apply merges every list', () => {
    const lists = all.filter(({ schema }) => schema.type === 'array')
    expect(lists.filter(({ schema }) => !schema['x-kubernetes-list-type']).map(({ path }) => path)).toEqual([])
    const list = lists.find(({ path }) => path === '.status.conditions')
    expect(list?.schema['x-kubernetes-list-map-keys']).toEqual(['type'])
  })

  test('names the unit of every amount of bytes, time or bandwidth', () => {
    const amounts = all.filter(
      ({ path, schema }) => (schema.type === 'integer' || schema.type === 'number') && /bytes|gbps|seconds/i.test(path),
    )
    const unsaid = amounts.filter(({ schema }) => !/bytes|gigabits per second|seconds/i.test(schema.description ?? ''))
    expect(unsaid.map(({ path }) => path)).toEqual([])
  })

  test('every rule has a message that reads as a sentence', () => {
    const rules = [version.schema.openAPIV3Schema, ...all.map(({ schema }) => schema)].flatMap(
      (schema) => schema['x-kubernetes-validations'] ?? [],
    )
    expect(rules.filter(({ message }) => !/^[\w` ].{10,}[^.]$/.test(message ?? ''))).toEqual([])
  })

  test('prints its age, and reads columns from fields that exist', () => {
    const columns = version.additionalPrinterColumns
    expect(columns.find(({ name }) => name === 'Age')?.jsonPath).toBe('.metadata.creationTimestamp')
    const paths = new Set(all.map(({ path }) => path))
    const read = columns
      .map(({ jsonPath }) => jsonPath.replace(/\[[^\]]*\]/g, '[]'))
      .filter((path) => !path.startsWith('.metadata'))
    expect(read.filter((path) => !paths.has(path))).toEqual([])
    const types = columns
      .map(({ jsonPath }) => /conditions\[\?\(@\.type=="(\w+)"\)\]/.exec(jsonPath)?.[1])
      .filter((type) => type)
    for (const type of types) expect(Object.keys(conditions[kind as keyof typeof conditions])).toContain(type)
  })
})
