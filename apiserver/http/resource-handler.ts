import type { Api, Target } from '../api.ts'
import { badRequest, forbidden, methodNotSupported, notFound } from '../api-error.ts'
import { type Access, type Authorizer, refusal } from '../auth/authorize.ts'
import type { User } from '../auth/user.ts'
import type { Representation, Served, Subresource } from '../served.ts'
import { applyObject } from '../verbs/apply.ts'
import { asJsonObject, BodyError, parseYaml } from '../verbs/body.ts'
import { createObject } from '../verbs/create.ts'
import { decodeObject } from '../verbs/decode.ts'
import { deleteObject } from '../verbs/delete.ts'
import { deleteCollection } from '../verbs/delete-collection.ts'
import { getObject } from '../verbs/get.ts'
import { listObjects } from '../verbs/list.ts'
import { applyPatchType, parsePatch } from '../verbs/patch/patch.ts'
import { patchObject } from '../verbs/patch.ts'
import { updateObject } from '../verbs/update.ts'
import { optionsBody, readBody } from './bodies.ts'
import { type Exchange, HttpExchange } from './exchange.ts'
import { type Accepted, mediaType, negotiate } from './media-type.ts'
import { deleteOptions, listOptions, patchOptions, queryBool, watchOptions, writeOptions } from './options.ts'
import type { ResourceRequest } from './request-info.ts'
import { serveScale } from './scale.ts'
import { includeObject, listBody, listTransforms, objectBody, objectTransforms } from './transform.ts'
import type { WatchServer } from './watch.ts'

export interface ResourceHandlerOptions {
  readonly api: Api
  readonly authorizer: Authorizer
  readonly watches: WatchServer
  /** Resolves when CRDs written so far are served. */
  readonly settled: () => Promise<void>
}

type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** Answers requests for resources: one verb each. */
export class ResourceHandler {
  readonly #api: Api
  readonly #authorizer: Authorizer
  readonly #watches: WatchServer
  readonly #settled: () => Promise<void>

  constructor(options: ResourceHandlerOptions) {
    this.#api = options.api
    this.#authorizer = options.authorizer
    this.#watches = options.watches
    this.#settled = options.settled
  }

  /** Resolves with false where the path names nothing that is served: 404. */
  async handle(exchange: Exchange, request: ResourceRequest, user: User): Promise<boolean> {
    const verb = verbOf(exchange, request)
    this.#authorize(request, verb ?? 'get', user)
    const served = this.#api.registry.find(request.group, request.version, request.resource)
    if (!served) return false
    const of = served.groupResource
    const subresource = subresourceOf(served, request)
    if (subresource === undefined) {
      if (request.name !== '' && this.#exists(served, request)) throw notFound(of, request.name)
      return false
    }
    if (!verb || !allowed(served, subresource, verb))
      throw methodNotSupported(of, verb ?? exchange.method.toLowerCase())
    // Collections of all namespaces can only be read (or deleted); objects are made in one.
    if (verb === 'create' && served.info.namespaced && request.namespace === '') return false
    if (served.deprecation) exchange.warn(served.deprecation)
    const target: Target = {
      served,
      namespace: served.info.namespaced ? request.namespace : '',
      name: request.name,
      subresource,
      user,
      warn: exchange.warn,
      authorizeCreate: () => this.#authorize(request, 'create', user),
    }
    const { kind } = served.info
    if (kind === 'CustomResourceDefinition' && verb !== 'get' && verb !== 'list' && verb !== 'watch') {
      // What a CRD declares is served by the time its writer knows that it was written.
      exchange.beforeAnswer(this.#settled)
    }
    if (subresource === 'scale') await serveScale(exchange, this.#api, target, verb)
    else await this.#verbs[verb](exchange, target)
    return true
  }

  #exists(served: Served, request: ResourceRequest): boolean {
    return this.#api.store.get(served.key(request.namespace, request.name)) !== undefined
  }

  #authorize(request: ResourceRequest, verb: Verb, user: User): void {
    const access: Access = { ...request, verb }
    const decision = this.#authorizer.authorize(user, access)
    if (decision.allowed) return
    throw forbidden(
      { group: request.group, resource: request.resource },
      request.name,
      decision.reason === '' ? refusal(user, access) : `${refusal(user, access)}: ${decision.reason}`,
    )
  }

  readonly #verbs: Readonly<Record<Verb, (exchange: Exchange, target: Target) => Promise<void>>> = {
    get: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: objectTransforms, yaml: true })
      const object = getObject(this.#api, target, exchange.query?.get('resourceVersion') ?? '')
      await this.#answer(exchange, target, 200, object, accepted)
    },
    list: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: listTransforms, yaml: true })
      const list = listObjects(this.#api, target, listOptions(exchange.query))
      await exchange.json(
        200,
        listBody(target.served, list, accepted, () => this.#table(exchange)),
        accepted,
      )
    },
    watch: async (exchange, target) => {
      if (!(exchange instanceof HttpExchange)) throw badRequest('a batch cannot watch')
      const accepted = negotiate(exchange.header('accept'), { transforms: objectTransforms, yaml: false })
      this.#watches.serve(exchange, target, watchOptions(exchange.query), accepted)
    },
    create: async (exchange, target) => {
      const { served } = target
      const transforms = served.review ? [] : objectTransforms
      const accepted = negotiate(exchange.header('accept'), { transforms, yaml: true })
      const options = writeOptions(exchange.query, exchange.header('user-agent'), 'CreateOptions')
      const object = decodeObject(target, await readBody(exchange, served), options.fieldValidation)
      const made = served.review
        ? representation(served.review(object, target.user))
        : await createObject(this.#api, target, object, options)
      await this.#answer(exchange, target, 201, made, accepted)
    },
    update: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: objectTransforms, yaml: true })
      const options = writeOptions(exchange.query, exchange.header('user-agent'), 'UpdateOptions')
      const object = decodeObject(target, await readBody(exchange, target.served), options.fieldValidation)
      const { object: updated, created } = await updateObject(this.#api, target, object, options)
      await this.#answer(exchange, target, created ? 201 : 200, updated, accepted)
    },
    patch: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: objectTransforms, yaml: true })
      const type = mediaType(exchange.header('content-type'))
      const options = patchOptions(exchange.query, exchange.header('user-agent'), type === applyPatchType)
      const body = await exchange.body()
      const done =
        type === applyPatchType
          ? await this.#apply(target, body, options)
          : await patchObject(this.#api, target, parsePatch(type, body, target.served.strategy.strategicMerge), options)
      await this.#answer(exchange, target, done.created ? 201 : 200, done.object, accepted)
    },
    delete: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: objectTransforms, yaml: true })
      const options = deleteOptions(exchange.query, await optionsBody(exchange))
      const { served } = target
      const { gone, object } = await deleteObject(this.#api, target, options)
      if (!gone || served.strategy.returnsDeleted) {
        return this.#answer(exchange, target, !gone && options.orphanDependents === false ? 202 : 200, object, accepted)
      }
      const { group, plural: kind } = served.info
      const { uid } = object.value.metadata
      const details = { name: target.name, ...(group === '' ? {} : { group }), kind, ...(uid ? { uid } : {}) }
      const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
      await exchange.json(200, Buffer.from(JSON.stringify(status)), accepted)
    },
    deletecollection: async (exchange, target) => {
      const accepted = negotiate(exchange.header('accept'), { transforms: listTransforms, yaml: true })
      const options = deleteOptions(exchange.query, await optionsBody(exchange))
      const list = await deleteCollection(this.#api, target, listOptions(exchange.query), options)
      await exchange.json(
        200,
        listBody(target.served, list, accepted, () => this.#table(exchange)),
        accepted,
      )
    },
  }

  async #apply(target: Target, body: Buffer, options: Parameters<typeof applyObject>[4]) {
    const { value, duplicates } = await parseYaml(body).catch((err: unknown) => {
      throw err instanceof BodyError ? badRequest(`error decoding YAML: ${err.message}`) : err
    })
    const configuration = asJsonObject(value)
    if (!configuration) throw badRequest('error decoding YAML: the configuration is not an object')
    return applyObject(this.#api, target, configuration, duplicates, options)
  }

  #answer(exchange: Exchange, { served }: Target, status: number, object: Representation, accepted: Accepted) {
    return exchange.json(
      status,
      objectBody(served, object, accepted, () => this.#table(exchange)),
      accepted,
    )
  }

  #table(exchange: Exchange) {
    return { includeObject: includeObject(exchange.query), now: this.#api.clock.now() }
  }
}

function representation(value: Representation['value']): Representation {
  return { value, json: Buffer.from(JSON.stringify(value)) }
}

function verbOf(exchange: Exchange, { name }: ResourceRequest): Verb | undefined {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      if (name !== '') return 'get'
      return exchange.query && queryBool(exchange.query, 'watch') ? 'watch' : 'list'
    case 'POST':
      return name === '' ? 'create' : undefined
    case 'PUT':
      if (name === '') throw badRequest('name must be provided')
      return 'update'
    case 'PATCH':
      if (name === '') throw badRequest('name must be provided')
      return 'patch'
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete'
    default:
      return undefined
  }
}

function subresourceOf(served: Served, { subresource }: ResourceRequest): Subresource | undefined {
  if (subresource === '') return ''
  if (subresource === 'status' && served.info.hasStatus) return 'status'
  if (subresource === 'scale' && served.info.scale) return 'scale'
  if (subresource === 'finalize' && served.strategy.prepareForFinalize) return 'finalize'
  return undefined
}

function allowed(served: Served, subresource: Subresource, verb: Verb): boolean {
  if (subresource === '') return served.info.verbs.includes(verb)
  if (subresource === 'finalize') return verb === 'update'
  return verb === 'get' || verb === 'update' || verb === 'patch'
}
