import { describe, expect, test } from '@jest/globals'
import { customResourceDefinitions } from '../../crds/load.ts'
import { kinds, registry } from '../../crds/registry.gen.ts'

describe('the registry', () => {
  test('knows every kind once, and no two kinds share a name that kubectl would take', () => {
    expect(kinds.map((kind) => kind.kind).sort()).toEqual(
      [
        'Appliance',
        'Assignment',
        'Catalog',
        'HardwareClass',
        'PlacementPlan',
        'PlacementPolicy',
        'Site',
        'SteeringPolicy',
      ].sort(),
    )
    const names = kinds.flatMap((kind) => [...new Set([kind.plural, kind.singular, ...kind.shortNames])])
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(kinds.map((kind) => [kind.kind, kind] as const))(
    '%s loads the CRD that it was made from',
    async (_, info) => {
      const crd = await info.loadCrd()
      expect(crd).toMatchObject({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${info.plural}.${info.group}` },
        spec: { group: info.group, names: { kind: info.kind, categories: ['weir'] } },
      })
      expect(customResourceDefinitions()).toContain(crd)
    },
  )

  test('only hardware classes are shared by all namespaces', () => {
    expect(kinds.filter((kind) => !kind.namespaced).map((kind) => kind.kind)).toEqual([registry.HardwareClass.kind])
  })
})
