import type { KubeObject } from '../../../crds/metadata.ts'
import type { Appliance, PlacementPolicy, Site, SteeringPolicy } from '../../../crds/types.gen.ts'
import type { Path } from '../../manifests/manifest.ts'
import { closest } from '../../manifests/suggest.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

interface Reference {
  readonly from: Member<KubeObject>
  readonly path: Path
  readonly kind: 'Site' | 'HardwareClass' | 'Catalog'
  readonly namespace: string
  readonly name: string
}

/** Names that lead nowhere in the set. Each missing object is told once, where it is first named: mending it mends all. */
function* missing(set: FleetSet, references: Iterable<Reference>): Generator<Finding> {
  const found = new Map<string, { readonly first: Reference; count: number }>()
  for (const reference of references) {
    const { kind, namespace, name } = reference
    if (set.of(kind).has(namespace, name)) continue
    const key = `${kind} ${namespace} ${name}`
    const known = found.get(key)
    if (known) known.count++
    else found.set(key, { first: reference, count: 1 })
  }
  for (const { first, count } of found.values()) {
    const { kind, namespace, name } = first
    const like = closest(name, set.of(kind).names(namespace))
    const asked = like === undefined ? '' : `; did you mean "${like}"?`
    const where = namespace === '' ? '' : ` in namespace "${namespace}"`
    const others = count > 1 ? ` (${count} objects name it)` : ''
    yield {
      manifest: first.from.manifest,
      path: first.path,
      message: `${kind} "${name}"${where} is not in this set${others}${asked}`,
      ...(like === undefined ? {} : { suggestion: like }),
    }
  }
}

function* parents(set: FleetSet): Generator<Reference> {
  for (const from of set.of<Site>('Site').all) {
    for (const [i, { name, namespace = from.namespace }] of (from.object.spec.parents ?? []).entries())
      yield { from, path: ['spec', 'parents', i, 'name'], kind: 'Site', namespace, name }
  }
}

function* siteRefs(set: FleetSet): Generator<Reference> {
  for (const from of set.of<Appliance>('Appliance').all) {
    const { name } = from.object.spec.siteRef
    yield { from, path: ['spec', 'siteRef', 'name'], kind: 'Site', namespace: from.namespace, name }
  }
}

function* hardwareClassRefs(set: FleetSet): Generator<Reference> {
  for (const from of set.of<Appliance>('Appliance').all) {
    const { name } = from.object.spec.hardwareClassRef
    yield { from, path: ['spec', 'hardwareClassRef', 'name'], kind: 'HardwareClass', namespace: '', name }
  }
}

function* steeredCatalogs(set: FleetSet): Generator<Reference> {
  for (const from of set.of<SteeringPolicy>('SteeringPolicy').all) {
    for (const [i, { name, namespace = from.namespace }] of (from.object.spec.content?.catalogs ?? []).entries())
      yield { from, path: ['spec', 'content', 'catalogs', i, 'name'], kind: 'Catalog', namespace, name }
  }
}

function* catalogRefs(set: FleetSet): Generator<Reference> {
  for (const from of set.of<PlacementPolicy>('PlacementPolicy').all) {
    const { name } = from.object.spec.catalogRef
    yield { from, path: ['spec', 'catalogRef', 'name'], kind: 'Catalog', namespace: from.namespace, name }
  }
}

export const references: readonly Rule[] = [
  {
    id: 'parent-not-found',
    severity: 'warning',
    about: 'A Site fills from a Site that is not in the set.',
    check: (set) => missing(set, parents(set)),
  },
  {
    id: 'site-not-found',
    severity: 'warning',
    about: 'An Appliance stands at a Site that is not in the set.',
    check: (set) => missing(set, siteRefs(set)),
  },
  {
    id: 'hardware-class-not-found',
    severity: 'warning',
    about: 'An Appliance is of a HardwareClass that is not in the set.',
    check: (set) => missing(set, hardwareClassRefs(set)),
  },
  {
    id: 'catalog-not-found',
    severity: 'warning',
    about: 'A PlacementPolicy places, or a SteeringPolicy governs, a Catalog that is not in the set.',
    check: (set) => missing(set, [...catalogRefs(set), ...steeredCatalogs(set)]),
  },
]
