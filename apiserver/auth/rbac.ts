import type { KubeObject } from '../../crds/metadata.ts'
import { asObject, isArray, isObject } from '../json.ts'
import { keyPrefix, objectKey } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'
import type { Access, Authorizer, Decision } from './authorize.ts'
import type { User } from './user.ts'

const group = 'rbac.authorization.k8s.io'

/** One rule of a Role, with absent lists empty. */
export interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

/** Kubernetes' RBAC over the roles and bindings in the store. The group system:masters may do everything. */
export class RbacAuthorizer implements Authorizer {
  readonly #store: Store
  readonly #rules = new WeakMap<KubeObject, readonly Rule[]>()

  constructor(store: Store) {
    this.#store = store
  }

  authorize(user: User, access: Access): Decision {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' }
    for (const binding of this.#bindings('clusterrolebindings')) {
      if (this.#grants(binding, user, access, '')) {
        return allowedBy(`ClusterRoleBinding ${JSON.stringify(binding.metadata.name)}`, binding)
      }
    }
    if (access.type === 'path' || access.namespace === '') return { allowed: false, reason: '' }
    for (const binding of this.#bindings('rolebindings', access.namespace)) {
      if (this.#grants(binding, user, access, access.namespace)) {
        return allowedBy(`RoleBinding ${JSON.stringify(`${binding.metadata.name}/${access.namespace}`)}`, binding)
      }
    }
    return { allowed: false, reason: '' }
  }

  /** The rules that hold for a user in a namespace ('' for those of the whole cluster only). */
  rulesOf(user: User, namespace: string): readonly Rule[] {
    const rules: Rule[] = []
    for (const binding of this.#bindings('clusterrolebindings')) {
      if (names(binding, user, '')) rules.push(...this.#roleRules(binding, ''))
    }
    if (namespace === '') return rules
    for (const binding of this.#bindings('rolebindings', namespace)) {
      if (names(binding, user, namespace)) rules.push(...this.#roleRules(binding, namespace))
    }
    return rules
  }

  #bindings(plural: string, namespace?: string): readonly KubeObject[] {
    return this.#store.range(keyPrefix(group, plural, namespace)).items.map((i) => i.value)
  }

  #grants(binding: KubeObject, user: User, access: Access, namespace: string): boolean {
    return names(binding, user, namespace) && this.#roleRules(binding, namespace).some((r) => covers(r, access))
  }

  #roleRules(binding: KubeObject, namespace: string): readonly Rule[] {
    return roleRules((key) => this.#store.get(key)?.value, binding, namespace, this.#rules)
  }
}

/** The rules of the role that a binding names. */
export function roleRules(
  get: (key: string) => KubeObject | undefined,
  binding: KubeObject,
  namespace: string,
  cache = new WeakMap<KubeObject, readonly Rule[]>(),
): readonly Rule[] {
  const ref = asObject(binding).roleRef
  if (!isObject(ref) || typeof ref.name !== 'string') return []
  const inNamespace = ref.kind === 'Role'
  const role = get(
    objectKey(group, inNamespace ? 'roles' : 'clusterroles', inNamespace ? namespace : undefined, ref.name),
  )
  if (!role) return []
  let rules = cache.get(role)
  if (!rules) {
    rules = readRules(role)
    cache.set(role, rules)
  }
  return rules
}

/** A rule taken apart: each grants one verb on one resource (name) or URL. */
export function parts(rule: Rule): readonly Rule[] {
  const found: Rule[] = []
  const none: Rule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs) found.push({ ...none, verbs: [verb], nonResourceURLs: [url] })
    for (const apiGroup of rule.apiGroups) {
      for (const resource of rule.resources) {
        const one = { ...none, verbs: [verb], apiGroups: [apiGroup], resources: [resource] }
        if (rule.resourceNames.length === 0) found.push(one)
        for (const name of rule.resourceNames) found.push({ ...one, resourceNames: [name] })
      }
    }
  }
  return found
}

/** Whether a rule grants all that a part (see {@link parts}) does. */
export function coversRule(rule: Rule, part: Rule): boolean {
  const has = (list: readonly string[], values: readonly string[]) =>
    list.includes('*') || values.every((v) => list.includes(v))
  if (!has(rule.verbs, part.verbs)) return false
  if (part.nonResourceURLs.length > 0) {
    return part.nonResourceURLs.every((url) => rule.nonResourceURLs.some((own) => pathMatches(own, url)))
  }
  if (!has(rule.apiGroups, part.apiGroups)) return false
  if (!part.resources.every((r) => resourceCovered(rule.resources, r))) return false
  if (rule.resourceNames.length === 0) return true
  return part.resourceNames.length > 0 && part.resourceNames.every((n) => rule.resourceNames.includes(n))
}

function resourceCovered(resources: readonly string[], resource: string): boolean {
  if (resources.includes('*') || resources.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && resources.includes(`*${resource.slice(slash)}`)
}

/** `RBAC: allowed by RoleBinding "x/ns" of Role "y" to …`, as Kubernetes explains itself. */
function allowedBy(what: string, binding: KubeObject): Decision {
  const ref = asObject(binding).roleRef
  const role = isObject(ref) ? `${String(ref.kind)} ${JSON.stringify(ref.name)}` : 'a role'
  return { allowed: true, reason: `RBAC: allowed by ${what} of ${role}` }
}

export function readRules(role: KubeObject): readonly Rule[] {
  const { rules } = asObject(role)
  if (!isArray(rules)) return []
  return rules.filter(isObject).map((rule) => {
    const list = (field: string) => {
      const value = rule[field]
      return isArray(value) ? value.filter((v) => typeof v === 'string') : []
    }
    return {
      verbs: list('verbs'),
      apiGroups: list('apiGroups'),
      resources: list('resources'),
      resourceNames: list('resourceNames'),
      nonResourceURLs: list('nonResourceURLs'),
    }
  })
}

function names(binding: KubeObject, user: User, namespace: string): boolean {
  const { subjects } = asObject(binding)
  return (
    isArray(subjects) &&
    subjects.some((s) => {
      if (!isObject(s)) return false
      if (s.kind === 'User') return s.name === user.name
      if (s.kind === 'Group') return typeof s.name === 'string' && user.groups.includes(s.name)
      const of = s.namespace || namespace
      return s.kind === 'ServiceAccount' && user.name === `system:serviceaccount:${of}:${s.name}`
    })
  )
}

function covers(rule: Rule, access: Access): boolean {
  const one = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  if (!one(rule.verbs, access.verb)) return false
  if (access.type === 'path') return rule.nonResourceURLs.some((url) => pathMatches(url, access.path))
  if (!one(rule.apiGroups, access.group)) return false
  const resource = access.subresource === '' ? access.resource : `${access.resource}/${access.subresource}`
  const any = `*/${access.subresource}`
  if (!one(rule.resources, resource) && !(access.subresource !== '' && rule.resources.includes(any))) return false
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(access.name)
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}
