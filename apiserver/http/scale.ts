import type { JsonObject } from '../../crds/metadata.ts'
import type { Api, Target } from '../api.ts'
import { badRequest } from '../api-error.ts'
import { asJsonObject, BodyError, type ParsedBody } from '../verbs/body.ts'
import { applyJsonPatch } from '../verbs/patch/json-patch.ts'
import { mergePatch } from '../verbs/patch/merge-patch.ts'
import { parsePatch } from '../verbs/patch/patch.ts'
import { getScale, scaleApiVersion, updateScale } from '../verbs/scale.ts'
import { readBody } from './bodies.ts'
import type { Exchange } from './exchange.ts'
import { mediaType, negotiate } from './media-type.ts'
import { patchOptions, writeOptions } from './options.ts'

/** Answers requests for the subresource `scale` of custom resources. Server-side apply is refused: 415. */
export async function serveScale(exchange: Exchange, api: Api, target: Target, verb: string): Promise<void> {
  const accepted = negotiate(exchange.header('accept'), { transforms: [], yaml: true })
  const agent = exchange.header('user-agent')
  const answer = async () => {
    if (verb === 'get') return getScale(api, target, exchange.query?.get('resourceVersion') ?? '')
    if (verb === 'update') {
      const wanted = scaleBody(await readBody(exchange, target.served))
      return updateScale(api, target, () => wanted, writeOptions(exchange.query, agent, 'UpdateOptions'))
    }
    const options = patchOptions(exchange.query, agent, false)
    const patch = parsePatch(mediaType(exchange.header('content-type')), await exchange.body(), false)
    return updateScale(
      api,
      target,
      (scale) =>
        patch.type === 'json'
          ? applyJsonPatch(scale, patch.operations)
          : (mergePatch(scale, patch.value) as JsonObject),
      options,
    )
  }
  await exchange.json(200, (await answer()).json, accepted)
}

function scaleBody(parse: () => ParsedBody): JsonObject {
  try {
    const object = asJsonObject(parse().value)
    if (object) return { kind: 'Scale', apiVersion: scaleApiVersion, ...object }
  } catch (err) {
    if (!(err instanceof BodyError)) throw err
  }
  throw badRequest('the object provided is unrecognized (must be of type Scale)')
}
