import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'

const GROUP = 'admissionregistration.k8s.io'
const NAME = 'catalogs-in-use.content.weir.dev'

const policies: Resource<KubeObject & { readonly spec: JsonObject }> = {
  group: GROUP,
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
}
const bindings: Resource<KubeObject & { readonly spec: JsonObject }> = {
  group: GROUP,
  version: 'v1',
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
  namespaced: false,
}

/**
 * Has the API server refuse to delete a Catalog that PlacementPolicies use, and name them. The finalizer holds what slips through: a policy made
 * at the same moment.
 */
export const catalogProtection = {
  policy: {
    apiVersion: `${GROUP}/v1`,
    kind: policies.kind,
    metadata: { name: NAME },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['content.weir.dev'],
            apiVersions: ['v1alpha1'],
            operations: ['DELETE'],
            resources: ['catalogs'],
          },
        ],
      },
      validations: [
        {
          expression: '!has(oldObject.status) || !has(oldObject.status.usedBy) || oldObject.status.usedBy.size() == 0',
          messageExpression: "'used by PlacementPolicies ' + oldObject.status.usedBy.join(', ')",
          reason: 'Forbidden',
        },
      ],
    },
  },
  binding: {
    apiVersion: `${GROUP}/v1`,
    kind: bindings.kind,
    metadata: { name: NAME },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  },
} as const

/** Installs it, or brings it up to date. Throws ApiError where that is not allowed: then who installed Weir must have done it. */
export async function installCatalogProtection(client: Client): Promise<void> {
  const how = { fieldManager: 'weir-catalog', force: true }
  await client.apply(policies, catalogProtection.policy, how)
  await client.apply(bindings, catalogProtection.binding, how)
}
