/**
 * Keys are `/<group or "core">/<plural>/<namespace or "">/<name>`. A prefix ends in `/`, or is a whole key. Ordered by code unit,
 * as etcd orders by byte: the parts are DNS names and path segments, hence ASCII.
 */
export function objectKey(group: string, plural: string, namespace: string | undefined, name: string): string {
  return `${keyPrefix(group, plural)}${namespace ?? ''}/${name}`
}

/** The prefix of a whole resource; with a namespace, of the resource's objects there. */
export function keyPrefix(group: string, plural: string, namespace?: string): string {
  const resource = `/${group === '' ? 'core' : group}/${plural}/`
  return namespace === undefined ? resource : `${resource}${namespace}/`
}

export interface KeyParts {
  readonly group: string
  readonly plural: string
  readonly namespace: string
  readonly name: string
}

/** The inverse of {@link objectKey}. */
export function parseKey(key: string): KeyParts {
  const [, group = '', plural = '', namespace = '', ...name] = key.split('/')
  return { group: group === 'core' ? '' : group, plural, namespace, name: name.join('/') }
}
