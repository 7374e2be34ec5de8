import type { User } from './user.ts'

/** What a request wants to do, as authorisation sees it. */
export type Access =
  | {
      readonly type: 'resource'
      readonly verb: string
      readonly group: string
      readonly version: string
      /** '' for cluster-scoped resources and for all namespaces. */
      readonly namespace: string
      readonly resource: string
      readonly subresource: string
      readonly name: string
    }
  | { readonly type: 'path'; readonly verb: string; readonly path: string }

export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

/** Decides who may do what. */
export interface Authorizer {
  authorize(user: User, access: Access): Decision
}

/** `User "x" cannot get resource "y" …`, as Kubernetes says it. */
export function refusal(user: User, access: Access): string {
  const who = `User ${JSON.stringify(user.name)}`
  if (access.type === 'path') return `${who} cannot ${access.verb} path ${JSON.stringify(access.path)}`
  const resource = access.subresource === '' ? access.resource : `${access.resource}/${access.subresource}`
  const where =
    access.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(access.namespace)}`
  return `${who} cannot ${access.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(access.group)} ${where}`
}
