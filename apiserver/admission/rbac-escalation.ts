import { forbidden } from '../api-error.ts'
import { coversRule, parts, type RbacAuthorizer, type Rule, readRules, roleRules } from '../auth/rbac.ts'
import type { User } from '../auth/user.ts'
import { type ApiObject, deepEqual, isObject } from '../json.ts'
import type { Transaction } from '../storage/store.ts'
import type { Gate } from './admission.ts'

const group = 'rbac.authorization.k8s.io'

/**
 * Nobody may grant what they may not do: who writes a role must hold its rules or the verb `escalate` on it, who writes a binding must hold the
 * rules of its role, or the verb `bind`.
 */
export function rbacEscalation(authorizer: RbacAuthorizer): Gate {
  return ({ operation, target, name, object, old }, tx) => {
    const { served, user, namespace } = target
    if (operation === 'DELETE' || !object || served.info.group !== group) return
    if (user.groups.includes('system:masters')) return
    const { plural } = served.info
    const isRole = plural === 'roles' || plural === 'clusterroles'
    if (old && deepEqual(isRole ? old.rules : old.subjects, isRole ? object.rules : object.subjects)) return
    const asked = isRole ? { verb: 'escalate', resource: plural, name } : { verb: 'bind', ...roleOf(object) }
    const access = { type: 'resource', group, version: 'v1', namespace, subresource: '', ...asked } as const
    if (authorizer.authorize(user, access).allowed) return
    const granted = isRole ? readRules(object) : boundRules(tx, object, namespace)
    const missing = lacking(authorizer.rulesOf(user, namespace), granted)
    if (missing.length > 0) throw forbidden(served.groupResource, name, complaint(user, missing))
  }
}

function roleOf(binding: ApiObject): { readonly resource: string; readonly name: string } {
  const ref = isObject(binding.roleRef) ? binding.roleRef : {}
  return { resource: ref.kind === 'Role' ? 'roles' : 'clusterroles', name: String(ref.name ?? '') }
}

function boundRules(tx: Transaction, binding: ApiObject, namespace: string): readonly Rule[] {
  return roleRules((key) => tx.get(key)?.value, binding, namespace)
}

function lacking(held: readonly Rule[], granted: readonly Rule[]): readonly Rule[] {
  return granted.flatMap(parts).filter((part) => !held.some((rule) => coversRule(rule, part)))
}

function complaint(user: User, missing: readonly Rule[]): string {
  const groups = user.groups.map((g) => JSON.stringify(g)).join(' ')
  const lines = [...new Set(missing.map(describe))].sort()
  return `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`
}

function describe(rule: Rule): string {
  const list = (name: string, of: readonly string[]) =>
    of.length === 0 ? [] : [`${name}:[${of.map((v) => JSON.stringify(v)).join(' ')}]`]
  return `{${[
    ...list('APIGroups', rule.apiGroups),
    ...list('Resources', rule.resources),
    ...list('ResourceNames', rule.resourceNames),
    ...list('NonResourceURLs', rule.nonResourceURLs),
    ...list('Verbs', rule.verbs),
  ].join(', ')}}`
}
