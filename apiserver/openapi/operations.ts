import type { JsonObject } from '../../crds/metadata.ts'
import { subresourcesOf } from '../discovery/subresources.ts'
import type { ResourceInfo } from '../resource.ts'
import { builtInDefinitionName, META, requestParameter } from './kubernetes.ts'
import { definitionName, groupVersionPath, listDefinitionName, operationGroup, tagOf, V3_PREFIX } from './names.ts'

const LIST_PARAMETERS = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
]
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation']
const PATCH_PARAMETERS = ['dryRun', 'patch.fieldManager', 'fieldValidation', 'patch.force']
const DELETE_PARAMETERS = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']
const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']
const STRATEGIC = 'application/strategic-merge-patch+json'

/** The `paths` of one resource in an OpenAPI v3 document. */
export function resourcePaths(resource: ResourceInfo): Record<string, JsonObject> {
  const { group, version, plural, namespaced, verbs } = resource
  const root = `/${groupVersionPath(group, version)}`
  const scoped = namespaced ? `${root}/namespaces/{namespace}` : root
  const describe = new Describer(resource)
  const inNamespace = namespaced ? [requestParameter('namespace')] : []
  const pretty = requestParameter('pretty')
  const name = { ...requestParameter('name'), description: `name of the ${resource.kind}` }

  const paths: Record<string, JsonObject> = {
    [`${scoped}/${plural}`]: {
      ...(verbs.includes('list') && { get: describe.list() }),
      ...(verbs.includes('create') && { post: describe.create() }),
      ...(verbs.includes('deletecollection') && { delete: describe.deleteCollection() }),
      parameters: [...inNamespace, pretty],
    },
  }
  // Reviews are answered, not kept: they have no names.
  if (verbs.includes('get')) {
    paths[`${scoped}/${plural}/{name}`] = {
      ...describe.item('', verbs),
      ...(verbs.includes('delete') && { delete: describe.delete() }),
      parameters: [name, ...inNamespace, pretty],
    }
  }
  for (const of of subresourcesOf(resource)) {
    const kind = builtInDefinitionName(of.group, of.version, of.kind)
    paths[`${scoped}/${plural}/{name}/${of.name}`] = {
      ...describe.item(of.name, of.verbs, of.kind === resource.kind ? undefined : kind),
      parameters: [name, ...inNamespace, pretty],
    }
  }
  if (namespaced && verbs.includes('list')) {
    paths[`${root}/${plural}`] = {
      get: describe.listEverywhere(),
      parameters: [...LIST_PARAMETERS.map(requestParameter), pretty],
    }
  }
  return paths
}

/** Writes the operations of one resource as Kubernetes does. */
class Describer {
  readonly #resource: ResourceInfo
  readonly #kind: string
  readonly #list: string

  constructor(resource: ResourceInfo) {
    this.#resource = resource
    this.#kind = definitionName(resource)
    this.#list = listDefinitionName(resource)
  }

  list(): JsonObject {
    const { kind } = this.#resource
    return this.#operation('list', 'list', `list objects of kind ${kind}`, {
      parameters: LIST_PARAMETERS,
      responses: { 200: this.#list },
    })
  }

  listEverywhere(): JsonObject {
    const { kind, group, version } = this.#resource
    const { parameters: _, ...operation } = this.list()
    return { ...operation, operationId: `list${operationGroup(group, version)}${kind}ForAllNamespaces` }
  }

  create(): JsonObject {
    const { kind } = this.#resource
    return this.#operation('create', 'post', `create ${article(kind)} ${kind}`, {
      parameters: WRITE_PARAMETERS,
      body: this.#kind,
      responses: { 200: this.#kind, 201: this.#kind, 202: this.#kind },
    })
  }

  deleteCollection(): JsonObject {
    return this.#operation('deleteCollection', 'deletecollection', `delete collection of ${this.#resource.kind}`, {
      parameters: LIST_PARAMETERS,
      responses: { 200: `${META}.Status` },
    })
  }

  delete(): JsonObject {
    const { kind } = this.#resource
    return this.#operation('delete', 'delete', `delete ${article(kind)} ${kind}`, {
      parameters: DELETE_PARAMETERS,
      body: `${META}.DeleteOptions`,
      bodyIsOptional: true,
      responses: { 200: `${META}.Status`, 202: `${META}.Status` },
    })
  }

  /** Reading and writing one object, or a part of it, which may be of another kind. */
  item(subresource: string, verbs: readonly string[], definition: string = this.#kind): JsonObject {
    const of = subresource === '' ? '' : ` ${subresource} of`
    const the = `the specified ${this.#resource.kind}`
    return {
      ...(verbs.includes('get') && {
        get: this.#operation('read', 'get', `read${of} ${the}`, {
          subresource,
          parameters: ['resourceVersion'],
          responses: { 200: definition },
        }),
      }),
      ...(verbs.includes('update') && {
        put: this.#operation('replace', 'put', `replace${of} ${the}`, {
          subresource,
          parameters: WRITE_PARAMETERS,
          body: definition,
          responses: { 200: definition, 201: definition },
        }),
      }),
      ...(verbs.includes('patch') && {
        patch: this.#operation('patch', 'patch', `partially update${of} ${the}`, {
          subresource,
          parameters: PATCH_PARAMETERS,
          body: `${META}.Patch`,
          bodyTypes: this.#resource.builtIn ? [...PATCH_TYPES, STRATEGIC] : PATCH_TYPES,
          responses: { 200: definition },
        }),
      }),
    }
  }

  #operation(verb: string, action: string, description: string, of: OperationParts): JsonObject {
    const { group, version, kind, namespaced } = this.#resource
    const scope = namespaced ? 'Namespaced' : ''
    const [verbName, middle] = verb === 'deleteCollection' ? ['delete', 'Collection'] : [verb, '']
    const sub = of.subresource ?? ''
    const subTitle = sub.charAt(0).toUpperCase() + sub.slice(1)
    const responses = Object.entries(of.responses).map(([code, definition]) => [
      code,
      { description: RESPONSE[code] ?? '', content: content(['application/json', 'application/yaml'], definition) },
    ])
    const body = of.body && {
      requestBody: {
        content: content(of.bodyTypes ?? ['application/json', 'application/yaml'], of.body),
        ...(of.bodyIsOptional !== true && { required: true }),
      },
    }
    return {
      tags: [tagOf(group, version)],
      description,
      operationId: `${verbName}${operationGroup(group, version)}${middle}${scope}${kind}${subTitle}`,
      parameters: of.parameters.map(requestParameter),
      ...body,
      responses: { ...Object.fromEntries(responses), 401: { description: 'Unauthorized' } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
    }
  }
}

interface OperationParts {
  readonly subresource?: string
  readonly parameters: readonly string[]
  readonly body?: string
  readonly bodyIsOptional?: boolean
  readonly bodyTypes?: readonly string[]
  /** The definition of what is answered, by status code. */
  readonly responses: Readonly<Record<string, string>>
}

const RESPONSE: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

function content(types: readonly string[], definition: string): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema: { $ref: V3_PREFIX + definition } }]))
}

function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? 'an' : 'a'
}
