import type { JsonObject } from '../../crds/metadata.ts'
import { badRequest, unsupportedMediaType } from '../api-error.ts'
import type { Served } from '../served.ts'
import { asJsonObject, BodyError, type ParsedBody, parseJson, parseYaml } from '../verbs/body.ts'
import type { Exchange } from './exchange.ts'
import { mediaType } from './media-type.ts'

const protobuf = 'application/vnd.kubernetes.protobuf'

/** Reads an object by its Content-Type: JSON unless told, YAML, and protobuf for built-in kinds, as Go clients send it. */
export async function readBody(exchange: Exchange, { info }: Served): Promise<() => ParsedBody> {
  const type = mediaType(exchange.header('content-type'))
  const known = type === '' || type === 'application/json' || type === 'application/yaml'
  if (!known && !(type === protobuf && info.builtIn)) throw unsupported(info.builtIn)
  const body = await exchange.body()
  if (type === protobuf || type === 'application/yaml') {
    try {
      const parsed = type === protobuf ? await parseProtobuf(body) : await parseYaml(body)
      return () => parsed
    } catch (err) {
      if (!(err instanceof BodyError)) throw err
      throw badRequest(`the object provided is unrecognized (must be of type ${info.kind}): ${err.message}`)
    }
  }
  return () => parseJson(body, true)
}

/** The DeleteOptions in a body; undefined where it is empty. */
export async function optionsBody(exchange: Exchange): Promise<JsonObject | undefined> {
  const body = await exchange.body()
  if (body.length === 0) return undefined
  const type = mediaType(exchange.header('content-type'))
  try {
    const options = asJsonObject((await parseAny(type, body)).value)
    if (!options) throw new BodyError('it is not an object')
    const { kind } = options
    if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
      throw badRequest(`decoded object cannot be converted to DeleteOptions: it is a ${String(kind)}`)
    }
    return options
  } catch (err) {
    if (err instanceof BodyError) throw badRequest(`cannot read DeleteOptions: ${err.message}`)
    throw err
  }
}

function parseAny(type: string, body: Buffer): ParsedBody | Promise<ParsedBody> {
  switch (type) {
    case '':
    case 'application/json':
      return parseJson(body, false)
    case 'application/yaml':
      return parseYaml(body)
    case protobuf:
      return parseProtobuf(body)
    default:
      throw unsupported(true)
  }
}

/** Loaded on first use: only Go clients speak it. */
async function parseProtobuf(body: Buffer): Promise<ParsedBody> {
  const [{ decodeProtobuf }, { ProtobufError }] = await Promise.all([
    import('../protobuf/decode.ts'),
    import('../protobuf/wire.ts'),
  ])
  try {
    return { value: decodeProtobuf(body), duplicates: [] }
  } catch (err) {
    throw err instanceof ProtobufError ? new BodyError(err.message) : err
  }
}

function unsupported(protobufToo: boolean): Error {
  const types = ['application/json', 'application/yaml', ...(protobufToo ? [protobuf] : [])]
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  )
}
