/**
 * Compares Weir's Tables with those of a real kube-apiserver, cell by cell, for built-in kinds and for a custom resource with one
 * column of every sort.
 *
 *   node test/oracle/tables.ts KUBECONFIG
 */
import { builtInResources } from '../../apiserver/builtin/all.ts'
import { servedByCrd } from '../../apiserver/custom/from-crd.ts'
import type { ApiObject } from '../../apiserver/json.ts'
import type { ResourceInfo } from '../../apiserver/resource.ts'
import { type IncludeObject, toTable } from '../../apiserver/table/table.ts'
import { equalValues, isList, isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { KubeClient } from './kube-client.ts'

const NAMESPACE = 'tables'
const COLUMNS: readonly (readonly [type: string, jsonPath: string])[] = [
  ['string', '.spec.text'],
  ['string', '.spec.number'],
  ['string', '.spec.float'],
  ['string', '.spec.flag'],
  ['string', '.spec.nothing'],
  ['string', '.spec.list'],
  ['string', '.spec.map'],
  ['string', '.spec.absent.below'],
  ['string', '.spec'],
  ['integer', '.spec.number'],
  ['integer', '.spec.float'],
  ['integer', '.spec.text'],
  ['number', '.spec.number'],
  ['number', '.spec.float'],
  ['boolean', '.spec.flag'],
  ['boolean', '.spec.text'],
  ['date', '.metadata.creationTimestamp'],
  ['date', '.spec.when'],
  ['date', '.spec.text'],
  ['date', '.spec.empty'],
  ['date', '.spec.number'],
  ['string', '.spec.conditions[?(@.type=="Ready")].status'],
  ['string', ".spec.conditions[?(@.type=='Absent')].status"],
  ['string', '.spec.conditions[?(@.type!="Ready")].status'],
  ['string', '.spec.conditions[?(@.reason)].type'],
  ['string', '.spec.conditions[?(@.n>1)].type'],
  ['string', '.spec.conditions[?(@.n<=1)].type'],
  ['string', '.spec.text[?(@.x=="y")]'],
  ['string', '.spec.list[0]'],
  ['string', '.spec.list[-1]'],
  ['string', '.spec.list[5]'],
  ['string', '.spec.list[1:3]'],
  ['string', '.spec.list[:2]'],
  ['string', '.spec.list[*]'],
  ['string', '.spec.list[0,2]'],
  ['string', '.spec.conditions[*].type'],
  ['string', ".spec.map['dotted\\.key']"],
  ['string', '.spec.map.dotted\\.key'],
  ['string', '.metadata.labels.app\\.weir\\.dev/name'],
  ['string', '.spec..type'],
]

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rows.tables.weir.dev' },
  spec: {
    group: 'tables.weir.dev',
    scope: 'Namespaced',
    names: { kind: 'Row', plural: 'rows', singular: 'row', listKind: 'RowList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        additionalPrinterColumns: COLUMNS.map(([type, jsonPath], i) => ({
          name: `Column ${i}`,
          type,
          jsonPath,
          ...(i % 3 === 0 && { priority: 1 }),
          ...(i % 4 === 0 && { description: `The ${i}th` }),
        })),
      },
    ],
  },
}

const ROWS: readonly JsonObject[] = [
  {
    text: 'hello <world> & "co"',
    number: 5,
    float: 2.75,
    flag: true,
    nothing: null,
    list: ['a', 'b', 'c'],
    map: { z: 1, a: [true, null], 'dotted.key': 'dot' },
    when: '2020-01-02T03:04:05Z',
    empty: '',
    conditions: [
      { type: 'Ready', status: 'True', n: 1 },
      { type: 'Online', status: 'False', reason: 'Because', n: 2 },
    ],
  },
  { text: '', number: 12345678901, float: 1e21, flag: false, list: [], conditions: [], when: 'yesterday' },
  { number: -3, float: 0.000001, list: 'not a list', conditions: { type: 'Ready' } },
  {},
]

const [kubeconfig] = process.argv.slice(2)
if (kubeconfig === undefined) throw new Error('usage: node test/oracle/tables.ts KUBECONFIG')
const client = new KubeClient(kubeconfig)
let differences = 0
try {
  await prepare()
  const infos = builtInResources().map(({ info }) => info)
  const [row] = servedByCrd({ ...CRD, status: { acceptedNames: CRD.spec.names } } as unknown as ApiObject)
  for (const info of [...infos, ...(row ? [row.info] : [])])
    if (info.verbs.includes('list')) await compareResource(info)
  console.log(differences === 0 ? 'no difference' : `${differences} differences`)
} finally {
  client.close()
}
process.exitCode = differences === 0 ? 0 : 1

async function prepare(): Promise<void> {
  await client.send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  })
  await client.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD)
  const rows = `/apis/tables.weir.dev/v1/namespaces/${NAMESPACE}/rows`
  const deadline = Date.now() + 30_000
  while ((await client.send('GET', rows)).status !== 200) {
    if (Date.now() > deadline) throw new Error('the custom resource is not served')
  }
  for (const [i, spec] of ROWS.entries()) {
    const metadata = { name: `row-${i}`, labels: { 'app.weir.dev/name': `n${i}` } }
    await client.send('POST', rows, { apiVersion: 'tables.weir.dev/v1', kind: 'Row', metadata, spec })
  }
  const core = `/api/v1/namespaces/${NAMESPACE}`
  await client.send('POST', `${core}/configmaps`, {
    metadata: { name: 'm' },
    data: { a: '1' },
    binaryData: { b: 'YQ==' },
  })
  await client.send('POST', `${core}/secrets`, { metadata: { name: 's' }, stringData: { a: '1', b: '2' } })
  await client.send('POST', `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`, {
    metadata: { name: 'l' },
    spec: { holderIdentity: 'me' },
  })
  const involvedObject = { kind: 'Pod', name: 'p', namespace: NAMESPACE, fieldPath: 'spec.x' }
  const event = { involvedObject, reason: 'Tested', message: ' padded \n', type: 'Normal' }
  const old = '2020-01-02T03:04:05Z'
  await client.send('POST', `${core}/events`, {
    ...event,
    metadata: { name: 'e1' },
    source: { component: 'c', host: 'h' },
  })
  await client.send('POST', `${core}/events`, {
    ...event,
    metadata: { name: 'e2' },
    firstTimestamp: old,
    lastTimestamp: old,
    count: 3,
  })
  await client.send('POST', `${core}/events`, {
    ...event,
    metadata: { name: 'e3' },
    message: 'new',
    eventTime: '2021-01-02T03:04:05.000000Z',
    action: 'Do',
    reportingComponent: 'weir.dev/x',
    reportingInstance: 'i',
    series: { count: 7, lastObservedTime: '2022-01-02T03:04:05.000000Z' },
  })
  const policies = '/apis/admissionregistration.k8s.io/v1'
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: {
      resourceRules: [{ apiGroups: ['x.dev'], apiVersions: ['v1'], resources: ['x'], operations: ['*'] }],
    },
    validations: [{ expression: 'true' }, { expression: '1 == 1' }],
  }
  await client.send('POST', `${policies}/validatingadmissionpolicies`, { metadata: { name: 'p1' }, spec })
  await client.send('POST', `${policies}/validatingadmissionpolicies`, {
    metadata: { name: 'p2' },
    spec: { ...spec, paramKind: undefined },
  })
  const selector = {
    matchLabels: { b: '1', a: '2' },
    matchExpressions: [{ key: 'k', operator: 'In', values: ['x', 'y'] }],
  }
  const refs = [
    undefined,
    { name: 'n', parameterNotFoundAction: 'Deny' },
    { name: 'n', namespace: 'ns', parameterNotFoundAction: 'Deny' },
  ]
  for (const [i, paramRef] of [...refs, { selector, parameterNotFoundAction: 'Deny' }].entries()) {
    const binding = { policyName: i === 0 ? 'p2' : 'p1', paramRef, validationActions: ['Deny'] }
    await client.send('POST', `${policies}/validatingadmissionpolicybindings`, {
      metadata: { name: `b${i}` },
      spec: binding,
    })
  }
  const bindings = [
    { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
    { kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' },
    { kind: 'ServiceAccount', name: 'a', namespace: 'n' },
  ]
  await client.send('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings`, {
    metadata: { name: 'b' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: bindings,
  })
}

async function compareResource(info: ResourceInfo): Promise<void> {
  const { group, version, plural } = info
  const path = `${group === '' ? '/api' : `/apis/${group}`}/${version}/${plural}`
  for (const includeObject of ['None', 'Metadata', 'Object'] as const) {
    // Ages are printed to the second: the clocks of two requests may differ by one.
    let found: string[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      found = await compareOnce(info, path, includeObject)
      if (found.length === 0) break
    }
    differences += found.length
    console.log(
      `${path} ${includeObject}: ${found.length === 0 ? 'same' : `different\n${found.slice(0, 20).join('\n')}`}`,
    )
  }
}

async function compareOnce(info: ResourceInfo, path: string, includeObject: IncludeObject): Promise<string[]> {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const list = (await client.send('GET', path)).body as JsonObject
  const kube = (await client.send('GET', `${path}?includeObject=${includeObject}`, undefined, { accept })).body
  const apiVersion = info.group === '' ? info.version : `${info.group}/${info.version}`
  const objects = (list.items as JsonObject[]).map(
    (item) => ({ ...item, apiVersion, kind: info.kind }) as unknown as KubeObject,
  )
  const weir = toTable(info, objects, {
    includeObject,
    apiVersion: 'meta.k8s.io/v1',
    listMetadata: list.metadata as JsonObject,
    now: new Date(),
  })
  return compare(kube, weir, '')
}

function compare(kube: JsonValue | undefined, weir: JsonValue | undefined, at: string): string[] {
  if (isMap(kube) && isMap(weir)) {
    const keys = new Set([...Object.keys(kube), ...Object.keys(weir)])
    return [...keys].flatMap((key) =>
      key === 'resourceVersion' || key === 'continue' ? [] : compare(kube[key], weir[key], `${at}.${key}`),
    )
  }
  if (isList(kube) && isList(weir) && kube.length === weir.length) {
    return kube.flatMap((item, i) => compare(item, weir[i], `${at}[${i}]`))
  }
  // A list without items may be null there.
  if ((kube === null || kube === undefined) && isList(weir) && weir.length === 0) return []
  return equalValues(kube, weir) ? [] : [`${at}\n  kube: ${JSON.stringify(kube)}\n  weir: ${JSON.stringify(weir)}`]
}
