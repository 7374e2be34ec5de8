import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { type ConnectionFlags, connect } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { findResource, resourceFor } from '../api/mapping.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { ownKind, ownSchema } from '../own-kinds.ts'

/** A kind, and its schema with references resolved on demand. */
export interface Explained {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: JsonObject
  /** What a part of the schema is, once references are followed. */
  resolve(schema: JsonObject): JsonObject
}

/** Finds the schema of a type: Weir's own without asking a server, others from the server's OpenAPI. */
export async function explainedType(
  io: Io,
  word: string,
  flags: ConnectionFlags & { readonly apiVersion?: string },
): Promise<Explained> {
  const own = ownKind(word)
  if (own && (flags.apiVersion === undefined || flags.apiVersion === own.apiVersion)) {
    return {
      group: own.group,
      version: own.version,
      kind: own.kind,
      schema: withEnvelope(await ownSchema(own)),
      resolve: (part) => part,
    }
  }
  return servedType(io, word, flags)
}

/** What every object has, which CRDs do not spell out. */
function withEnvelope(schema: JsonObject): JsonObject {
  const own = (schema.properties ?? {}) as JsonObject
  const envelope = {
    apiVersion: { type: 'string', description: 'The version of the API that this object is written in.' },
    kind: { type: 'string', description: 'What kind of object this is.' },
    metadata: {
      type: 'object',
      description: 'Name, namespace, labels, annotations: what every Kubernetes object has.',
    },
  }
  return { ...schema, properties: { ...envelope, ...own } }
}

async function servedType(
  io: Io,
  word: string,
  flags: ConnectionFlags & { readonly apiVersion?: string },
): Promise<Explained> {
  const connection = await connect(io, flags)
  try {
    const discovery = await discovered(connection, io.interrupted, (kept) => findResource(kept, word) !== undefined)
    const wanted =
      flags.apiVersion === undefined
        ? discovery
        : { resources: discovery.resources.filter((r) => versionOf(r) === flags.apiVersion) }
    const resource = findResource(wanted, word) ?? resourceFor(discovery, word)
    const path = resource.group === '' ? `api/${resource.version}` : `apis/${resource.group}/${resource.version}`
    const index = json(await connection.client.raw('/openapi/v3', { signal: io.interrupted })) as {
      paths?: Record<string, { serverRelativeURL?: string }>
    }
    const url = index.paths?.[path]?.serverRelativeURL
    if (!url) throw new CliError(ExitCode.api, `the server describes nothing of ${versionOf(resource)}`)
    const document = json(await connection.client.raw(url, { signal: io.interrupted })) as {
      components?: { schemas?: Record<string, JsonObject> }
    }
    return fromOpenApi(resource, document.components?.schemas ?? {})
  } finally {
    connection.client.close()
  }
}

/** Some servers send the index of their OpenAPI documents as text/plain. */
const json = (answer: unknown): unknown => (typeof answer === 'string' ? JSON.parse(answer) : answer)

const versionOf = ({ group, version }: ServedResource) => (group === '' ? version : `${group}/${version}`)

function fromOpenApi(
  { group, version, kind }: ServedResource,
  schemas: Readonly<Record<string, JsonObject>>,
): Explained {
  const isIt = (gvk: JsonValue) => {
    const of = gvk as JsonObject
    return of.kind === kind && of.version === version && (of.group ?? '') === group
  }
  const found = Object.values(schemas).find((schema) =>
    ((schema['x-kubernetes-group-version-kind'] ?? []) as readonly JsonValue[]).some(isIt),
  )
  if (!found) throw new CliError(ExitCode.api, `the server does not describe ${kind} of ${version}`)
  return {
    group,
    version,
    kind,
    schema: found,
    resolve(part) {
      const reference = (part.$ref ??
        ((part.allOf as readonly JsonObject[] | undefined)?.[0]?.$ref as string | undefined)) as string | undefined
      const target = reference?.replace('#/components/schemas/', '')
      const resolved = target === undefined ? undefined : schemas[target]
      return resolved
        ? {
            ...resolved,
            ...(part.description === undefined ? {} : { description: part.description }),
            'x-type-name': target?.split('.').at(-1),
          }
        : part
    },
  }
}
