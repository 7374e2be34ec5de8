import type { Client } from '../../runtime/client/client.ts'
import { eventually } from '../controllers/control-plane.ts'

/** Whom an API server takes somebody for. */
export interface Subject {
  readonly user: string
  readonly groups: readonly string[]
}

/** A rule of a role, as far as it is about resources, and the namespace that it holds in; undefined: everywhere. */
export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
  readonly namespace?: string | undefined
}

/**
 * Waits until a subject may do everything that the rules say. A kube-apiserver's authorizer reads roles and bindings from watches of its own: what is
 * granted is in force a little later than it is stored.
 */
export async function untilAllowed(client: Client, subject: Subject, rules: readonly Rule[]): Promise<void> {
  await Promise.all(
    rules.flatMap(expand).map(({ what, attributes }) =>
      eventually(async () => {
        const { status } = (await client.raw('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
          method: 'POST',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: { ...subject, resourceAttributes: attributes },
          },
        })) as { readonly status: { readonly allowed: boolean } }
        return status.allowed
      }, `${subject.user} may ${what}`),
    ),
  )
}

/** One question for each verb on each resource. */
function expand({ apiGroups, resources, resourceNames = [''], verbs, namespace = '' }: Rule) {
  return apiGroups.flatMap((group) =>
    resources.flatMap((path) =>
      resourceNames.flatMap((name) =>
        verbs.map((verb) => {
          const [resource, subresource = ''] = path.split('/')
          const attributes = { namespace, verb, group, resource, subresource, name }
          return { what: `${verb} ${path} ${name} of "${group}" in "${namespace}"`, attributes }
        }),
      ),
    ),
  )
}
