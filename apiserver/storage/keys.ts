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

/** Whether a key is under a prefix; a prefix that does not end in `/` is a whole key. */
export function inPrefix(key: string, prefix: string): boolean {
  return prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix
}

/** Every prefix that a key is under: `/`, `/apps/`, … and the key itself. */
export function* prefixesOf(key: string): Generator<string, void, undefined> {
  for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) yield key.slice(0, slash + 1)
  yield key
}

/** The bounds of a prefix: its keys are at least `from` and below `to`. */
export function prefixBounds(prefix: string): { from: string; to: string } {
  // '0' is the character after '/'; no key has a NUL.
  return { from: prefix, to: prefix.endsWith('/') ? `${prefix.slice(0, -1)}0` : `${prefix}\0` }
}
