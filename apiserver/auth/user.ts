/** Who sends a request. */
export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** A controller inside the server, named as Kubernetes names its own. */
export function controllerUser(name: string): User {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:masters', 'system:serviceaccounts', 'system:authenticated'],
  }
}
