import { describe, expect, test } from '@jest/globals'
import { builtInResources } from '../../../apiserver/builtin/all.ts'
import type { Document } from '../../../apiserver/discovery/document.ts'
import { openApi } from '../../../apiserver/openapi/openapi.ts'
import type { ResourceInfo } from '../../../apiserver/resource.ts'
import type { JsonObject } from '../../../crds/metadata.ts'
import { customResource } from '../resource-infos.ts'

const builtIn = builtInResources().map(({ info }) => info)
const schema: JsonObject = {
  type: 'object',
  description: 'A sample',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['a', 'maybe'],
      properties: {
        a: { type: 'integer', default: 3, minimum: 1 },
        maybe: { type: 'string', nullable: true },
        either: { 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+%?$' },
        bounded: { 'x-kubernetes-int-or-string': true, anyOf: [{ minimum: 1 }] },
        one: { type: 'object', oneOf: [{ required: ['x'] }], properties: { x: { type: 'string' } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { x: { type: 'string' } } },
        list: { type: 'array', items: { type: 'string', nullable: true }, 'x-kubernetes-list-type': 'set' },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': false,
          required: ['spec'],
        },
        openEmbedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
      'x-kubernetes-validations': [{ rule: 'self.a > 0' }],
    },
  },
}
const sample = customResource({ schema, hasStatus: true, selectableFields: ['spec.a'] })

function read(document: Document | undefined) {
  if (!document) throw new Error('no document')
  return JSON.parse(document.body.toString())
}

function v3(resource: ResourceInfo, name = 'dev.weir.v1.Sample') {
  return read(openApi([resource]).groupVersion('apis/weir.dev/v1', undefined)).components.schemas[name]
}

function v2(resource: ResourceInfo, name = 'dev.weir.v1.Sample') {
  return read(openApi([resource]).v2(undefined)).definitions[name]
}

/** Every `$ref` of a document. */
function references(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref' && typeof item === 'string') found.add(item)
    else references(item, found)
  }
  return found
}

describe('/openapi/v3', () => {
  const documents = openApi([...builtIn, sample])
  const paths = ['api/v1', 'apis/apiextensions.k8s.io/v1', 'apis/coordination.k8s.io/v1', 'apis/weir.dev/v1']

  test('lists every group version under a URL with its hash', () => {
    const index = read(documents.index()).paths
    for (const path of paths) {
      const etag = documents.groupVersion(path, undefined)?.etag ?? ''
      expect(index[path]).toEqual({ serverRelativeURL: `/openapi/v3/${path}?hash=${etag.replaceAll('"', '')}` })
    }
    expect(documents.groupVersion('apis/nobody.dev/v1', undefined)).toBeUndefined()
  })

  test.each(paths)('%s refers to nothing that it does not have', (path) => {
    const document = read(documents.groupVersion(path, undefined))
    expect(document.openapi).toBe('3.0.0')
    for (const reference of references(document)) {
      expect(document.components.schemas).toHaveProperty([reference.replace('#/components/schemas/', '')])
    }
  })

  test('describes every verb with its parameters and bodies', () => {
    const found = read(documents.groupVersion('apis/weir.dev/v1', undefined)).paths
    expect(Object.keys(found)).toEqual([
      '/apis/weir.dev/v1/namespaces/{namespace}/samples',
      '/apis/weir.dev/v1/namespaces/{namespace}/samples/{name}',
      '/apis/weir.dev/v1/namespaces/{namespace}/samples/{name}/status',
      '/apis/weir.dev/v1/samples',
    ])
    const { patch } = found['/apis/weir.dev/v1/namespaces/{namespace}/samples/{name}']
    expect(patch).toMatchObject({
      operationId: 'patchWeirDevV1NamespacedSample',
      description: 'partially update the specified Sample',
      tags: ['weirDev_v1'],
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'weir.dev', version: 'v1', kind: 'Sample' },
    })
    // kubectl looks here whether the server validates fields.
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'force',
    ])
    expect(Object.keys(patch.requestBody.content)).not.toContain('application/strategic-merge-patch+json')
  })

  test('a resource that changed changes the documents of its own group version only, and others are not made again', () => {
    const before = openApi([...builtIn, sample])
    const after = openApi([...builtIn, { ...sample, schema: { type: 'object' } }])
    expect(after.groupVersion('api/v1', undefined)).toBe(before.groupVersion('api/v1', undefined))
    expect(after.groupVersion('apis/weir.dev/v1', undefined)?.etag).not.toBe(
      before.groupVersion('apis/weir.dev/v1', undefined)?.etag,
    )
  })
})

describe('the schema of a custom resource', () => {
  test('has what every object has, and says which kind it is', () => {
    const published = v3(sample)
    expect(published).toMatchObject({
      type: 'object',
      description: 'A sample',
      required: ['spec'],
      'x-kubernetes-group-version-kind': [{ group: 'weir.dev', version: 'v1', kind: 'Sample' }],
      'x-kubernetes-selectable-fields': [{ fieldPath: 'spec.a' }],
    })
    expect(published.properties.metadata.allOf).toEqual([
      { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
    ])
    expect(published.properties.apiVersion.description).toMatch(/^APIVersion defines the versioned schema/)
  })

  test('writes shorthands out', () => {
    const { properties } = v3(sample).properties.spec
    expect(properties.either).toEqual({
      'x-kubernetes-int-or-string': true,
      pattern: '^[0-9]+%?$',
      anyOf: [{ type: 'integer' }, { type: 'string' }],
    })
    expect(properties.bounded).toEqual({
      'x-kubernetes-int-or-string': true,
      anyOf: [{ minimum: 1 }],
      allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }],
    })
    expect(properties.embedded.required).toEqual(['spec', 'kind', 'apiVersion'])
    expect(Object.keys(properties.embedded.properties)).toEqual(['apiVersion', 'kind', 'metadata'])
    expect(properties.embedded).not.toHaveProperty('x-kubernetes-preserve-unknown-fields')
  })

  test('without one is any object', () => {
    const gvk = { 'x-kubernetes-group-version-kind': [{ group: 'weir.dev', version: 'v1', kind: 'Sample' }] }
    expect(v3(customResource())).toEqual({ type: 'object', ...gvk })
    expect(v2(customResource())).toEqual({ type: 'object', ...gvk })
  })

  test('of lists names its items', () => {
    expect(v3(sample, 'dev.weir.v1.SampleList')).toMatchObject({
      description: 'SampleList is a list of Sample',
      required: ['items'],
      properties: { items: { type: 'array', items: { $ref: '#/components/schemas/dev.weir.v1.Sample' } } },
    })
  })
})

describe('/openapi/v2', () => {
  const { spec } = v2(sample).properties

  test.each<[why: string, property: string, published: JsonObject]>([
    ['defaults are not said', 'a', { type: 'integer', minimum: 1 }],
    ['what may be null has no type', 'maybe', {}],
    ['alternatives are not said', 'either', { 'x-kubernetes-int-or-string': true, pattern: '^[0-9]+%?$' }],
    ['nor those of properties', 'one', { type: 'object', properties: { x: { type: 'string' } } }],
    [
      'where unknown fields are kept, known ones are not named',
      'free',
      { 'x-kubernetes-preserve-unknown-fields': true },
    ],
    ['items too', 'list', { type: 'array', items: {}, 'x-kubernetes-list-type': 'set' }],
    [
      'nor are those of embedded resources',
      'openEmbedded',
      { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    ],
  ])('%s', (_, property, published) => {
    expect(spec.properties[property]).toEqual(published)
  })

  test('what may be null is not required', () => {
    expect(spec.required).toEqual(['a'])
  })

  test('validations are', () => {
    expect(spec['x-kubernetes-validations']).toEqual([{ rule: 'self.a > 0' }])
  })

  test('says nothing of a kind that keeps unknown fields: kubectl would take it for everything', () => {
    const open = customResource({ schema: { ...schema, 'x-kubernetes-preserve-unknown-fields': true } })
    expect(v2(open)).toEqual({
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group: 'weir.dev', version: 'v1', kind: 'Sample' }],
    })
  })

  test('refers to nothing that it does not have, and has the built-in kinds', () => {
    const document = read(openApi([...builtIn, sample]).v2('application/json'))
    expect(document.swagger).toBe('2.0')
    for (const reference of references(document))
      expect(document.definitions).toHaveProperty([reference.replace('#/definitions/', '')])
    expect(document.definitions['io.k8s.api.core.v1.ConfigMap'].properties.metadata).toEqual({
      $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
      description: expect.stringMatching(/^Standard object's metadata/),
    })
    expect(document.paths['/api/v1/namespaces/{namespace}/configmaps'].post.parameters[0]).toEqual({
      name: 'body',
      in: 'body',
      required: true,
      schema: { $ref: '#/definitions/io.k8s.api.core.v1.ConfigMap' },
    })
  })
})
