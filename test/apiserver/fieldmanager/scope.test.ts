import { expect, test } from '@jest/globals'
import { builtInResources } from '../../../apiserver/builtin/all.ts'
import { fieldScope } from '../../../apiserver/fieldmanager/scope.ts'
import type { ResourceInfo } from '../../../apiserver/resource.ts'
import { applyPatch } from '../../../crds/fieldmanager/apply-patch.ts'
import { hasField } from '../../../crds/fieldmanager/field-set.ts'
import { trackUpdate } from '../../../crds/fieldmanager/track-update.ts'
import type { KubeObject } from '../../../crds/metadata.ts'

const NOW = '2026-01-01T00:00:00Z'

function builtIn(kind: string): ResourceInfo {
  const served = builtInResources().find(({ info }) => info.kind === kind)
  if (!served) throw new Error(`${kind} is not served`)
  return served.info
}

function custom(version: string, hasStatus: boolean): ResourceInfo {
  return {
    group: 'weir.dev',
    version,
    kind: 'Sample',
    listKind: 'SampleList',
    plural: 'samples',
    singular: 'sample',
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: [],
    storageVersion: 'v1',
    hasStatus,
    schema: { type: 'object', properties: { spec: { type: 'object' }, status: { type: 'object' } } },
    preserveUnknownFields: false,
    printerColumns: [],
    selectableFields: [],
    builtIn: false,
  }
}

test('is made once per resource and subresource', () => {
  const resource = custom('v1', true)
  expect(fieldScope(resource, [resource], '')).toBe(fieldScope(resource, [resource], ''))
  expect(fieldScope(resource, [resource], 'status')).not.toBe(fieldScope(resource, [resource], ''))
})

test.each([
  {
    subresource: '',
    version: 'v1',
    field: 'f:status',
    reset: true,
    why: 'status is not written through the main endpoint',
  },
  { subresource: '', version: 'v1', field: 'f:spec', reset: false, why: 'spec is' },
  { subresource: '', version: 'v2', field: 'f:status', reset: false, why: 'an endpoint knows its own version only' },
  { subresource: 'status', version: 'v1', field: 'f:spec', reset: true, why: 'spec is not written through status' },
  { subresource: 'status', version: 'v2', field: 'f:metadata', reset: true, why: 'nor metadata, at any version' },
  { subresource: 'scale', version: 'v1', field: 'f:status', reset: false, why: 'a Scale changes the replicas alone' },
] as const)('$subresource: $why', ({ subresource, version, field, reset }) => {
  const versions = [custom('v1', true), custom('v2', true)]
  const scope = fieldScope(versions[0]!, versions, subresource)
  const fields = scope.resetFields(`weir.dev/${version}`)
  expect(fields !== undefined && hasField(fields, [field])).toBe(reset)
})

test('a version that is not served has no type', () => {
  const resource = custom('v1', false)
  const scope = fieldScope(resource, [resource], '')
  expect(scope.typeOf('weir.dev/v1')).toBeDefined()
  expect(scope.typeOf('weir.dev/v9')).toBeUndefined()
})

test('built-in kinds merge by the lists of their own schemas', () => {
  const resource = builtIn('ServiceAccount')
  const scope = fieldScope(resource, [resource], '')
  const identity = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'x' } }
  const first = applyPatch({
    scope,
    patch: { ...identity, secrets: [{ name: 'a' }] },
    manager: 'a',
    force: false,
    now: NOW,
  })
  if (first.outcome !== 'applied') throw new Error(first.message)
  const second = applyPatch({
    scope,
    live: first.object,
    patch: { ...identity, secrets: [{ name: 'b' }] },
    manager: 'b',
    force: false,
    now: NOW,
  })
  expect(second).toMatchObject({ outcome: 'applied', object: { secrets: [{ name: 'a' }, { name: 'b' }] } })
})

test('structs that every built-in object has are nobody’s to add', () => {
  const resource = builtIn('Lease')
  const scope = fieldScope(resource, [resource], '')
  const updated = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'x' },
    spec: { holderIdentity: 'me' },
  } as KubeObject
  const [entry] = trackUpdate({ scope, updated, manager: 'm', now: NOW }).metadata.managedFields ?? []
  expect(entry?.fieldsV1).toEqual({ 'f:spec': { 'f:holderIdentity': {} } })
})

test('a CRD’s schema, which contains itself, can be typed', () => {
  const resource = builtIn('CustomResourceDefinition')
  const scope = fieldScope(resource, [resource], '')
  const openAPIV3Schema = {
    type: 'object',
    properties: { a: { type: 'object', properties: { b: { type: 'string', default: { x: [1] } } } } },
  }
  const patch = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'x' },
    spec: { group: 'g', versions: [{ name: 'v1', schema: { openAPIV3Schema } }] },
  }
  const result = applyPatch({ scope, patch, manager: 'a', force: false, now: NOW })
  expect(result.outcome === 'applied' && result.object.metadata.managedFields?.[0]?.fieldsV1).toEqual({
    'f:spec': { 'f:group': {}, 'f:versions': {} },
  })
})
