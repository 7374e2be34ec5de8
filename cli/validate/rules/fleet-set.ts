import type { KubeObject } from '../../../crds/metadata.ts'
import type { KindName } from '../../../crds/types.gen.ts'
import type { CheckedObject } from '../../manifests/check.ts'
import type { Manifest } from '../../manifests/manifest.ts'

/** An object of the set that is right as such, with its defaults filled in. */
export interface Member<T> {
  readonly object: T
  readonly manifest: Manifest
  /** '' of cluster-scoped kinds. */
  readonly namespace: string
  readonly name: string
}

/** All objects of one kind. */
export interface Members<T> {
  /** Those that are right as such; rules look at no others. */
  readonly all: readonly Member<T>[]
  /** Whether there is one of that name, right or not. */
  has(namespace: string, name: string): boolean
  /** The names in a namespace, for suggestions. */
  names(namespace: string): Iterable<string>
}

/** The set as rules see it. */
export interface FleetSet {
  of<T extends KubeObject>(kind: KindName | 'Namespace'): Members<T>
}

/** `namespace`: of objects that name none. */
export function fleetSet(checked: readonly CheckedObject[], namespace: string): FleetSet {
  const byKind = new Map<string, CheckedObject[]>()
  for (const one of checked) {
    const { kind, apiVersion } = one.manifest.object
    if (!/(?:^|\.)weir\.dev\//.test(apiVersion) && apiVersion !== 'v1') continue
    const list = byKind.get(kind)
    if (list) list.push(one)
    else byKind.set(kind, [one])
  }
  const made = new Map<string, Members<KubeObject>>()
  return {
    of<T extends KubeObject>(kind: string): Members<T> {
      const members = made.get(kind) ?? membersOf(byKind.get(kind) ?? [], namespace)
      made.set(kind, members)
      return members as Members<T>
    },
  }
}

function membersOf(checked: readonly CheckedObject[], inNamespace: string): Members<KubeObject> {
  const names = new Map<string, Set<string>>()
  const all: Member<KubeObject>[] = []
  for (const { manifest, known, problems, object } of checked) {
    const { name = '', namespace: own } = manifest.object.metadata
    const namespace = known?.namespaced === false ? '' : own || inNamespace
    const there = names.get(namespace)
    if (there) there.add(name)
    else names.set(namespace, new Set([name]))
    if (problems.length === 0) all.push({ object, manifest, namespace, name })
  }
  return {
    all,
    has: (namespace, name) => names.get(namespace)?.has(name) ?? false,
    names: (namespace) => names.get(namespace) ?? [],
  }
}
