import { type Discovery, type Document, discovery } from '../discovery/discovery.ts'
import { type OpenApi, openApi } from '../openapi/openapi.ts'
import type { Registry } from '../registry.ts'
import type { ResourceInfo } from '../resource.ts'

/** Discovery and OpenAPI of what is served now; made anew only when that changes. */
export class Documents {
  readonly #registry: Registry
  #for: readonly ResourceInfo[] | undefined
  #discovery: Discovery | undefined
  #openApi: OpenApi | undefined

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** undefined where the path is none of these documents, or there is no such group version. */
  find(path: string, accept: string | undefined): Document | undefined {
    this.#refresh()
    const [first, second, third, fourth] = path.replace(/\/$/, '').split('/').slice(1)
    if (first === 'openapi') return this.#openapiDocument(second, path, accept)
    if (fourth !== undefined) return undefined
    if (first === 'api' && third === undefined) {
      return second === undefined ? this.#discover().api(accept) : this.#discover().resources('', second)
    }
    if (first !== 'apis') return undefined
    if (second === undefined) return this.#discover().apis(accept)
    return third === undefined ? this.#discover().group(second) : this.#discover().resources(second, third)
  }

  #openapiDocument(version: string | undefined, path: string, accept: string | undefined): Document | undefined {
    this.#openApi ??= openApi(this.#registry.resources)
    if (version === 'v2') return this.#openApi.v2(accept)
    if (version !== 'v3') return undefined
    const of = path.slice('/openapi/v3/'.length)
    return of === '' ? this.#openApi.index() : this.#openApi.groupVersion(of, accept)
  }

  #discover(): Discovery {
    this.#discovery ??= discovery(this.#registry.resources)
    return this.#discovery
  }

  #refresh(): void {
    if (this.#for === this.#registry.resources) return
    this.#for = this.#registry.resources
    this.#discovery = undefined
    this.#openApi = undefined
  }
}
