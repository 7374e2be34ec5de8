/**
 * Writes apiserver/openapi/kubernetes.gen.json: the definitions of the Kubernetes kinds that Weir's API server serves, and the
 * descriptions of request parameters, from the OpenAPI v3 documents of a running Kubernetes API server (Apache-2.0). Run it by
 * hand for a new Kubernetes version; the file is committed.
 *
 *   node scripts/kubernetes-openapi.ts KUBECONFIG
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, JsonValue } from '../crds/metadata.ts'
import { KubeClient } from '../test/oracle/kube-client.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const OUTPUT = 'apiserver/openapi/kubernetes.gen.json'

/** Group versions and the definitions to take from their documents, with all that those refer to. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  'api/v1': [
    ...['Namespace', 'ConfigMap', 'Secret', 'Event', 'ServiceAccount'].flatMap((kind) => [
      `io.k8s.api.core.v1.${kind}`,
      `io.k8s.api.core.v1.${kind}List`,
    ]),
    ...['DeleteOptions', 'Status', 'Patch', 'WatchEvent', 'APIResourceList'].map((kind) => `${META}.${kind}`),
    'io.k8s.api.autoscaling.v1.Scale',
    'io.k8s.api.authentication.v1.TokenRequest',
  ],
  api: [`${META}.APIVersions`],
  apis: [`${META}.APIGroupList`],
  'apis/admissionregistration.k8s.io/v1': ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].flatMap(
    (kind) => [`io.k8s.api.admissionregistration.v1.${kind}`, `io.k8s.api.admissionregistration.v1.${kind}List`],
  ),
  'apis/apiextensions.k8s.io/v1': ['CustomResourceDefinition', 'CustomResourceDefinitionList'].map(
    (kind) => `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.${kind}`,
  ),
  'apis/coordination.k8s.io/v1': ['io.k8s.api.coordination.v1.Lease', 'io.k8s.api.coordination.v1.LeaseList'],
  'apis/events.k8s.io/v1': ['io.k8s.api.events.v1.Event', 'io.k8s.api.events.v1.EventList'],
  'apis/rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'].flatMap((kind) => [
    `io.k8s.api.rbac.v1.${kind}`,
    `io.k8s.api.rbac.v1.${kind}List`,
  ]),
  'apis/authentication.k8s.io/v1': ['TokenReview', 'SelfSubjectReview'].map(
    (kind) => `io.k8s.api.authentication.v1.${kind}`,
  ),
  'apis/authorization.k8s.io/v1': [
    'SubjectAccessReview',
    'LocalSubjectAccessReview',
    'SelfSubjectAccessReview',
    'SelfSubjectRulesReview',
  ].map((kind) => `io.k8s.api.authorization.v1.${kind}`),
  'apis/apiregistration.k8s.io/v1': ['APIService', 'APIServiceList'].map(
    (kind) => `io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.${kind}`,
  ),
  version: ['io.k8s.apimachinery.pkg.version.Info'],
}

const [kubeconfig] = process.argv.slice(2)
if (kubeconfig === undefined) throw new Error('usage: node scripts/kubernetes-openapi.ts KUBECONFIG')
const client = new KubeClient(kubeconfig)
try {
  await main()
} finally {
  client.close()
}

async function main(): Promise<void> {
  const version = (await document('/version')).gitVersion
  const definitions = new Map<string, JsonObject>()
  for (const [path, names] of Object.entries(WANTED)) {
    const spec = await document(`/openapi/v3/${path}`)
    const schemas = object(object(spec.components).schemas)
    for (const name of names) take(name, schemas, definitions)
  }
  const sorted = Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)))
  const parameters = parametersOf(await document('/openapi/v3/api/v1'))
  const file = { kubernetes: version, definitions: sorted, parameters }
  writeFileSync(join(import.meta.dirname, '..', OUTPUT), `${JSON.stringify(file, null, 1)}\n`)
}

async function document(path: string): Promise<JsonObject> {
  const { status, body } = await client.send('GET', path)
  if (status !== 200) throw new Error(`${path}: ${status}`)
  return object(body)
}

function object(value: JsonValue | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as JsonObject
}

/** A definition and all that it refers to. Kinds of groups that Weir does not serve are no business of DeleteOptions. */
function take(name: string, schemas: JsonObject, into: Map<string, JsonObject>): void {
  if (into.has(name)) return
  const schema = object(schemas[name])
  const kinds = schema['x-kubernetes-group-version-kind']
  const own = Array.isArray(kinds) && kinds.length > 1 ? kinds.filter((kind) => object(kind).group === '') : kinds
  into.set(name, own === undefined ? schema : { ...schema, 'x-kubernetes-group-version-kind': own })
  for (const [, ref] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (ref !== undefined) take(ref, schemas, into)
  }
}

/** Every parameter that some operation on a ConfigMap takes, by name; that of patches where it says something else there. */
function parametersOf(spec: JsonObject): JsonObject {
  const found: Record<string, JsonObject> = {}
  for (const path of [
    '/api/v1/namespaces/{namespace}/configmaps',
    '/api/v1/namespaces/{namespace}/configmaps/{name}',
  ]) {
    const item = object(object(spec.paths)[path])
    for (const [verb, operation] of Object.entries({ path: item, ...item })) {
      if (operation === undefined || Array.isArray(operation)) continue
      for (const parameter of (object(operation).parameters ?? []) as JsonObject[]) {
        const name = String(parameter.name)
        if (verb === 'patch' && JSON.stringify(found[name]) !== JSON.stringify(parameter))
          found[`patch.${name}`] = parameter
        else found[name] = parameter
      }
    }
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}
