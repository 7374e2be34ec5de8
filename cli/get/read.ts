import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { ApiError, isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { type ReadRequest, readOne, readPages } from '../api/request.ts'
import type { Target } from '../api/targets.ts'
import type { GetFlags } from './options.ts'

/** One answer of the server: an object, or a page of a collection. */
export interface Answer {
  readonly resource: ServedResource
  readonly body: JsonObject
}

export interface Answers {
  readonly answers: readonly Answer[]
  readonly errors: readonly unknown[]
}

/** A target, and the namespace to look in where it is not the default one (an object from a manifest). */
export type PlacedTarget = Target & { readonly namespace?: string }

/** How a target is asked for; the same for reads and watches. */
export function requestFor(connection: Connection, target: PlacedTarget, flags: GetFlags, accept: string): ReadRequest {
  const namespace = flags.allNamespaces ? undefined : (target.namespace ?? connection.namespace)
  return {
    resource: target.resource,
    accept,
    ...(namespace === undefined ? {} : { namespace }),
    ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
    ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
    ...(target.type === 'object' ? { name: target.name } : {}),
    ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }),
    ...(flags.sortBy === undefined ? {} : { includeObject: 'Object' as const }),
  }
}

/** Reads all targets at once and gives the answers in order; one target's failure leaves the others. */
export async function readTargets(
  connection: Connection,
  targets: readonly PlacedTarget[],
  flags: GetFlags,
  accept: string,
  signal: AbortSignal,
): Promise<Answers> {
  const chunk = flags.sortBy === undefined ? Number(flags.chunkSize ?? 500) : 0
  const settled = await Promise.allSettled(
    targets.map(async (target): Promise<Answer[]> => {
      const request = { ...requestFor(connection, target, flags, accept), signal }
      const bodies =
        target.type === 'object'
          ? [await readOne(connection.client, request)]
          : await readPages(connection.client, request, chunk).catch((error: unknown) => {
              throw listFailure(error, request)
            })
      return bodies.map((body) => ({ resource: target.resource, body: body as JsonObject }))
    }),
  )
  signal.throwIfAborted()
  const errors = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  return {
    answers: settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    errors: flags.ignoreNotFound ? errors.filter((error) => !isNotFound(error)) : errors,
  }
}

/** Why a collection cannot be listed, in kubectl's words: with what was asked for. */
function listFailure(error: unknown, { resource, labelSelector = '', fieldSelector = '' }: ReadRequest): unknown {
  if (!(error instanceof ApiError) || (error.code !== 400 && error.code !== 404)) return error
  const { group, version, plural } = resource
  const kind = JSON.stringify(`${group}/${version}, Resource=${plural}`)
  const what =
    labelSelector === '' && fieldSelector === ''
      ? `Unable to list ${kind}`
      : `Unable to find ${kind} that match label selector ${JSON.stringify(labelSelector)}, field selector ${JSON.stringify(fieldSelector)}`
  const { reason, details, code, request } = error
  const status = { message: `${what}: ${error.message}`, reason, ...(details ? { details } : {}) }
  return new ApiError(request, status, code, error.retryAfterMs)
}

/** The objects of answers in JSON, Lists taken apart; items of typed lists are told their kind. */
export function objectsOf(answers: readonly Answer[]): (KubeObject & JsonObject)[] {
  return answers.flatMap(({ body }) => {
    if (!Array.isArray(body.items)) return [body as KubeObject & JsonObject]
    const kind = String(body.kind).replace(/List$/, '')
    return body.items.map(
      (item) => ({ apiVersion: body.apiVersion, kind, ...(item as JsonObject) }) as KubeObject & JsonObject,
    )
  })
}
