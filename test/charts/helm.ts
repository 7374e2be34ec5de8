import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { findProgram } from '../kube/assets.ts'
import { type Rule, type Subject, untilAllowed } from '../kube/until-allowed.ts'

export const chart = join(import.meta.dirname, '../../charts/weir')
/** What every release must be told. */
export const required = { gateway: { tls: { secretName: 'gateway-tls' } } }

export const helm = findProgram('helm')
if (!helm) console.warn('there is no helm in KUBEBUILDER_ASSETS or on the PATH: the chart is not rendered')

/** An object of a chart; what kind it is shows in its fields. */
export type Rendered = KubeObject & { readonly spec?: JsonObject; readonly rules?: readonly PolicyRule[] }

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** Runs helm with a home of its own; rejects with what it says. */
export async function runHelm(...args: readonly string[]): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'weir-helm-'))
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
  }
  try {
    return await new Promise((resolve, reject) => {
      execFile(helm!, args, { env, maxBuffer: 32 * 1024 * 1024, timeout: 60_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${stderr}${stdout}`))
        else resolve(stdout)
      })
    })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** `fn` with a file of these values. */
export async function withValues<T>(values: object, fn: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-values-'))
  const path = join(folder, 'values.json')
  writeFileSync(path, JSON.stringify(values))
  try {
    return await fn(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a release is made of. */
export async function render(values: object, namespace = 'weir-system', release = 'weir'): Promise<Rendered[]> {
  const text = await withValues(values, (path) => runHelm('template', release, chart, '-n', namespace, '-f', path))
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0]
    const object = document.toJS() as Rendered | null
    return object ? [object] : []
  })
}

const rbac = (kind: string, plural: string, namespaced: boolean): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced,
})
const RIGHTS: Readonly<Record<string, Resource>> = {
  ServiceAccount: { group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true },
  ClusterRole: rbac('ClusterRole', 'clusterroles', false),
  ClusterRoleBinding: rbac('ClusterRoleBinding', 'clusterrolebindings', false),
  Role: rbac('Role', 'roles', true),
  RoleBinding: rbac('RoleBinding', 'rolebindings', true),
}

/** Installs a release's ServiceAccounts and all their rights, which are in force when this resolves; the namespaces must be there. */
export async function installRights(client: Client, rendered: readonly Rendered[]): Promise<void> {
  for (const object of rendered) {
    const kind = RIGHTS[object.kind]
    if (kind) await client.apply(kind, object, { fieldManager: 'helm', force: true })
  }
  for (const { account, rules } of grants(rendered)) await untilAllowed(client, account, rules)
}

/** What the bindings of a release to its ServiceAccounts grant. */
function grants(rendered: readonly Rendered[]): { readonly account: Subject; readonly rules: readonly Rule[] }[] {
  const bindings = rendered.filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding')
  return (bindings as unknown as readonly Binding[]).flatMap(({ metadata: { namespace }, roleRef, subjects }) => {
    const role = rendered.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind && metadata.name === roleRef.name && metadata.namespace === namespace,
    )
    const rules = (role?.rules ?? []).map((rule) => ({ ...rule, namespace }))
    return subjects.map((subject) => ({ account: serviceAccount(subject.namespace, subject.name), rules }))
  })
}

interface Binding {
  readonly metadata: KubeObject['metadata']
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly name: string; readonly namespace: string }[]
}

/** Whom an API server takes the bearer of a ServiceAccount's token for. */
export function serviceAccount(namespace: string, name: string): Subject {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}
