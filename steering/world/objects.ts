import type { KubeObject, ObjectMeta } from '../../crds/metadata.ts'
import type { Appliance, Catalog, HardwareClass, Site, SteeringPolicy } from '../../crds/types.gen.ts'
import type { Namespace } from '../../runtime/client/resource.ts'

/** What steering reads of the API, by kind. */
export interface ObjectsByKind {
  readonly HardwareClass: HardwareClass
  readonly Namespace: Namespace
  readonly Site: Site
  readonly Appliance: Appliance
  readonly Catalog: Catalog
  readonly SteeringPolicy: SteeringPolicy
}
export type Kind = keyof ObjectsByKind

/** In an order in which what is named comes before what names it. */
export const KINDS: readonly Kind[] = ['HardwareClass', 'Namespace', 'Site', 'Catalog', 'Appliance', 'SteeringPolicy']

/** An object without what decisions do not go by: what is left of two versions is equal where the change does not matter here. */
export function essence<K extends Kind>(kind: K, object: ObjectsByKind[K]): ObjectsByKind[K] {
  return essences[kind](object as never) as ObjectsByKind[K]
}

const essences: { readonly [K in Kind]: (object: ObjectsByKind[K]) => KubeObject } = {
  HardwareClass: (object) => withSpec(object),
  Namespace: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata: named(metadata) }),
  Site: (object) => withSpec(object),
  SteeringPolicy: (object) => withSpec(object),
  Catalog(object) {
    const digest = object.status?.digest
    return { ...withSpec(object), status: digest === undefined ? {} : { digest } }
  },
  Appliance(object) {
    const { addresses, conditions, content } = object.status ?? {}
    const online = conditions?.find(({ type }) => type === 'Online')
    return {
      ...withSpec(object),
      status: {
        addresses: addresses ?? [],
        conditions: online ? [{ type: 'Online', status: online.status }] : [],
        content: { inventories: content?.inventories ?? [] },
      },
    }
  },
}

function withSpec({
  apiVersion,
  kind,
  metadata,
  spec,
}: KubeObject & { readonly spec: object }): KubeObject & { spec: object } {
  return { apiVersion, kind, metadata: named(metadata), spec }
}

function named({ namespace, name, uid, labels, deletionTimestamp }: ObjectMeta): ObjectMeta {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(labels === undefined ? {} : { labels }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  }
}
