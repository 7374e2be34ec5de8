import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { customResourceDefinitions } from '../../crds/load.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import { compileCustomResource } from '../../crds/validation/custom-resource.ts'

const examples = join(import.meta.dirname, '../../examples')
type Manifest = JsonObject & { kind: string; metadata: { name: string; namespace?: string }; spec: JsonObject }

const manifests = readdirSync(join(examples, 'quickstart'))
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .flatMap((file) => parseAllDocuments(readFileSync(join(examples, 'quickstart', file), 'utf8')))
  .map((document) => document.toJS() as Manifest)
const all = (kind: string) => manifests.filter((manifest) => manifest.kind === kind)
const names = (kind: string) => all(kind).map(({ metadata }) => metadata.name)

describe('examples/quickstart', () => {
  test('has a namespace first, then a hardware class, two sites, six appliances, a catalog and a policy, nothing else', () => {
    expect(manifests.map(({ kind }) => kind)).toEqual([
      ...['Namespace', 'HardwareClass', 'Site', 'Site'],
      ...Array(6).fill('Appliance'),
      ...['Catalog', 'PlacementPolicy'],
    ])
  })

  test('is valid, every field of it known', () => {
    for (const manifest of manifests.slice(1)) {
      const info = registry[manifest.kind as keyof typeof registry]
      const crd = customResourceDefinitions().find(
        ({ metadata }) => (metadata as { name: string }).name === `${info.plural}.${info.group}`,
      )
      const [{ schema }] = (crd as unknown as { spec: { versions: [{ schema: { openAPIV3Schema: JsonObject } }] } })
        .spec.versions
      const validator = compileCustomResource({ ...info, schema: schema.openAPIV3Schema })
      const { object, unknownFields } = validator.decode(manifest)
      expect([manifest.kind, manifest.metadata.name, unknownFields]).toEqual([
        manifest.kind,
        manifest.metadata.name,
        [],
      ])
      expect(validator.validateCreate(validator.applyDefaults(object))).toEqual([])
    }
  })

  test('refers only to what it has', () => {
    for (const { spec } of all('Appliance')) {
      expect(names('Site')).toContain((spec.siteRef as JsonObject).name)
      expect(names('HardwareClass')).toContain((spec.hardwareClassRef as JsonObject).name)
    }
    const parents = all('Site').flatMap(({ spec }) => (spec.parents as { name: string }[] | undefined) ?? [])
    expect(parents.length).toBeGreaterThan(0)
    for (const { name } of parents) expect(names('Site')).toContain(name)
    expect(all('PlacementPolicy')[0]?.spec.catalogRef).toEqual({ name: names('Catalog')[0] })
    const namespaces = manifests.flatMap(({ metadata }) => metadata.namespace ?? [])
    expect(new Set(namespaces)).toEqual(new Set(names('Namespace')))
  })
})

test('examples/origin is what a content network meets: many small files, odd names, an empty one, a link', () => {
  const origin = join(examples, 'origin')
  const paths = readdirSync(origin, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !lstatSync(join(origin, path)).isDirectory(),
  )
  expect(paths.length).toBeGreaterThanOrEqual(36)
  expect(paths.filter((path) => lstatSync(join(origin, path)).isSymbolicLink())).toEqual([join('notes', 'about.md')])
  const sizes = paths.map((path) => statSync(join(origin, path)).size)
  expect(sizes.filter((size) => size === 0)).toHaveLength(1)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  expect(total).toBeGreaterThan(200_000)
  expect(total).toBeLessThan(1_000_000)
  for (const odd of [
    / /,
    /%20/,
    /#/,
    /&/,
    /'/,
    /\+/,
    /[^\p{ASCII}]/u,
    /\p{Script=Han}/u,
    /\p{Emoji_Presentation}/u,
    /^\./,
  ]) {
    expect([odd, paths.some((path) => odd.test(path))]).toEqual([odd, true])
  }
  // Windows could not check these out.
  expect(paths.filter((path) => /[<>:"|?*\\]/.test(path.replaceAll('\\', '/')))).toEqual([])
})
