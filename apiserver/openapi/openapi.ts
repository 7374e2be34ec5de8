import type { JsonObject } from '../../crds/metadata.ts'
import { contentHash, type Document, jsonDocument, withEtag } from '../discovery/document.ts'
import { parseAccept } from '../http/media-type.ts'
import type { ResourceInfo } from '../resource.ts'
import { documentV2 } from './document-v2.ts'
import { documentV3 } from './document-v3.ts'
import { groupVersionPath } from './names.ts'
import { perGroupVersion } from './per-group-version.ts'
import { documentV2Protobuf } from './protobuf/document.ts'

export { builtInDefinition, builtInSchema } from './kubernetes.ts'

/** The OpenAPI documents of a set of resources; parts that another set already computed are reused. */
export interface OpenApi {
  /** `/openapi/v3` */
  index(): Document
  /** `/openapi/v3/api/v1`, `/openapi/v3/apis/G/V`; `path` without the leading `/openapi/v3/` */
  groupVersion(path: string, accept: string | undefined): Document | undefined
  /** `/openapi/v2`, JSON or protobuf by `accept` */
  v2(accept: string | undefined): Document
}

/** Nothing is computed before it is asked for. */
export function openApi(resources: readonly ResourceInfo[]): OpenApi {
  return new Documents(resources)
}

const groupVersionDocument = perGroupVersion((resources) => withEtag(jsonDocument(documentV3(resources))))

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** client-go still asks by the old name. */
const OLD_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

class Documents implements OpenApi {
  readonly #byPath: ReadonlyMap<string, readonly ResourceInfo[]>
  #index: Document | undefined
  #v2: JsonObject | undefined
  #v2Json: Document | undefined
  #v2Protobuf: Document | undefined

  constructor(resources: readonly ResourceInfo[]) {
    this.#byPath = Map.groupBy(resources, ({ group, version }) => groupVersionPath(group, version))
  }

  index(): Document {
    if (!this.#index) {
      const paths: Record<string, JsonObject> = {}
      for (const [path, resources] of [...this.#byPath].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const hash = contentHash(groupVersionDocument(resources).body)
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
      }
      this.#index = withEtag(jsonDocument({ paths }))
    }
    return this.#index
  }

  groupVersion(path: string): Document | undefined {
    const resources = this.#byPath.get(path)
    return resources && groupVersionDocument(resources)
  }

  v2(accept: string | undefined): Document {
    if (wantsProtobuf(accept)) {
      this.#v2Protobuf ??= withEtag({ contentType: PROTOBUF, body: documentV2Protobuf(this.#document()) })
      return this.#v2Protobuf
    }
    this.#v2Json ??= withEtag(jsonDocument(this.#document()))
    return this.#v2Json
  }

  #document(): JsonObject {
    this.#v2 ??= documentV2([...this.#byPath.values()])
    return this.#v2
  }
}

function wantsProtobuf(accept: string | undefined): boolean {
  for (const { type, subtype } of parseAccept(accept ?? '')) {
    if (`${type}/${subtype}` === PROTOBUF || `${type}/${subtype}` === OLD_PROTOBUF) return true
    if (type === '*' || (type === 'application' && (subtype === 'json' || subtype === '*'))) return false
  }
  return false
}
