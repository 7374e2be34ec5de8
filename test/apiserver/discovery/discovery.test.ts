import { describe, expect, test } from '@jest/globals'
import { builtInResources } from '../../../apiserver/builtin/all.ts'
import { type Document, discovery } from '../../../apiserver/discovery/discovery.ts'
import { compareVersions } from '../../../apiserver/discovery/priority.ts'
import { customResource } from '../resource-infos.ts'

const sample = customResource({
  shortNames: ['sm'],
  categories: ['all'],
  storageVersionHash: 'abc=',
  hasStatus: true,
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
})
const builtIn = builtInResources().map(({ info }) => info)
const documents = discovery(
  [
    customResource({ group: 'zoo.dev', plural: 'apes', kind: 'Ape' }),
    ...builtIn,
    sample,
    customResource({ version: 'v2beta1' }),
  ],
  '127.0.0.1:6443',
)

const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const V2_BETA = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

function read(document: Document | undefined) {
  return document && JSON.parse(document.body.toString())
}

test('/api names the versions of core', () => {
  expect(read(documents.api('application/json'))).toEqual({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  })
})

test('/apis lists groups by priority, custom ones last and by name, each with its best version preferred', () => {
  const list = read(documents.apis(undefined))
  expect(list).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' })
  expect(list.groups.map((group: { name: string }) => group.name)).toEqual([
    'events.k8s.io',
    'rbac.authorization.k8s.io',
    'admissionregistration.k8s.io',
    'apiextensions.k8s.io',
    'coordination.k8s.io',
    'weir.dev',
    'zoo.dev',
  ])
  expect(list.groups[5]).toEqual({
    name: 'weir.dev',
    versions: [
      { groupVersion: 'weir.dev/v1', version: 'v1' },
      { groupVersion: 'weir.dev/v2beta1', version: 'v2beta1' },
    ],
    preferredVersion: { groupVersion: 'weir.dev/v1', version: 'v1' },
  })
  expect(read(documents.group('weir.dev'))).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...list.groups[5] })
})

test('/apis/G/V lists resources with their subresources', () => {
  expect(read(documents.resources('weir.dev', 'v1'))).toEqual({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'weir.dev/v1',
    resources: [
      {
        name: 'samples',
        singularName: 'sample',
        namespaced: true,
        kind: 'Sample',
        verbs: sample.verbs,
        shortNames: ['sm'],
        categories: ['all'],
        storageVersionHash: 'abc=',
      },
      { name: 'samples/status', singularName: '', namespaced: true, kind: 'Sample', verbs: ['get', 'patch', 'update'] },
      {
        name: 'samples/scale',
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: ['get', 'patch', 'update'],
      },
    ],
  })
  const core = read(documents.resources('', 'v1'))
  expect(core.groupVersion).toBe('v1')
  expect(core.resources.map((resource: { name: string }) => resource.name)).toContain('namespaces/finalize')
})

test.each([
  ['a group', documents.group('nobody.dev')],
  ['the core group by its name', documents.group('')],
  ['a version', documents.resources('weir.dev', 'v9')],
])('%s that is not served has no document', (_, document) => {
  expect(document).toBeUndefined()
})

describe('aggregated', () => {
  test.each([
    { accept: V2, version: 'v2', why: 'asked for' },
    { accept: `${V2},${V2_BETA},application/json`, version: 'v2', why: 'as client-go asks: best first' },
    { accept: V2_BETA, version: 'v2beta1', why: 'as clients before 1.30 ask' },
    { accept: `application/json;q=0.5,${V2}`, version: 'v2', why: 'preferred by weight' },
  ])('$why', ({ accept, version }) => {
    const document = documents.apis(accept)
    expect(document.contentType).toBe(`application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
    expect(document.etag).toMatch(/^"[0-9A-F]{128}"$/)
    expect(read(document)).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
    })
  })

  test.each([
    'application/json',
    '*/*',
    `application/json,${V2}`,
    undefined,
    'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json',
  ])('not where plain JSON is preferred: %s', (accept) => {
    expect(documents.apis(accept)).toMatchObject({ contentType: 'application/json' })
    expect(read(documents.apis(accept)).kind).toBe('APIGroupList')
  })

  test('tells everything of a group at once', () => {
    const { items } = read(documents.apis(V2))
    expect(items.find((item: { metadata: { name: string } }) => item.metadata.name === 'weir.dev').versions[0]).toEqual(
      {
        version: 'v1',
        freshness: 'Current',
        resources: [
          {
            resource: 'samples',
            responseKind: { group: 'weir.dev', version: 'v1', kind: 'Sample' },
            scope: 'Namespaced',
            singularResource: 'sample',
            verbs: sample.verbs,
            shortNames: ['sm'],
            categories: ['all'],
            subresources: [
              {
                subresource: 'status',
                responseKind: { group: 'weir.dev', version: 'v1', kind: 'Sample' },
                verbs: ['get', 'patch', 'update'],
              },
              {
                subresource: 'scale',
                responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                verbs: ['get', 'patch', 'update'],
              },
            ],
          },
        ],
      },
    )
  })

  test('keeps core to itself', () => {
    const { items } = read(documents.api(V2))
    expect(items).toHaveLength(1)
    expect(items[0].metadata).toEqual({})
    expect(items[0].versions[0].version).toBe('v1')
  })

  test('has the same ETag for the same resources, another for others', () => {
    expect(discovery([sample]).apis(V2).etag).toBe(discovery([{ ...sample }]).apis(V2).etag)
    expect(discovery([sample]).apis(V2).etag).not.toBe(discovery([{ ...sample, shortNames: [] }]).apis(V2).etag)
  })
})

test('versions are ordered as Kubernetes orders them', () => {
  const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10']
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted)
})
