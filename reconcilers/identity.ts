import type { KubeObject } from '../crds/metadata.ts'

/**
 * The head of an apply on an object that must still be the one that was read: its uid makes the API server refuse with a conflict when
 * the object was deleted, or deleted and made again, in between. With `finalizers`, claims exactly those for the controller.
 */
export function identify(object: KubeObject, finalizers?: readonly string[]): KubeObject {
  const { name, namespace, uid } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(finalizers && { finalizers }),
    },
  }
}

/** `namespace/name`, or the name alone for a cluster-scoped object: the key under which controllers know it. */
export function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '')
}
