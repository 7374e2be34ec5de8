import {
  type GoUrl,
  hostname,
  parseRequestUri,
  parseUrl,
  port,
  queryValues,
  urlString,
} from '../../validation/formats/url.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { BOOL, type CelType, listOf, mapOf, STRING, URL_TYPE } from '../types/type.ts'
import { ArrayList, CelError, CelOpaque, EntryMap, keyId, type Result, type Value } from '../values/value.ts'

export class CelUrl extends CelOpaque {
  readonly type: CelType = URL_TYPE
  readonly url: GoUrl

  constructor(url: GoUrl) {
    super()
    this.url = url
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelUrl && urlString(this.url) === urlString(other.url)
  }
}

function url(text: string): Result {
  const strict = parseRequestUri(text)
  const parsed = strict.ok ? parseUrl(text) : strict
  if (!parsed.ok) return new CelError(`URL parse error during conversion from string: ${parsed.error}`)
  return new CelUrl(parsed.url)
}

function query(of: GoUrl): Result {
  const entries = [...queryValues(of)].map(
    ([key, values]) => [keyId(key) ?? '', [key, new ArrayList(values)] as [Value, Value]] as const,
  )
  return new EntryMap(new Map(entries))
}

function part(id: string, get: (url: GoUrl) => string): Overload {
  return member(id, [URL_TYPE], STRING, ([value]) => get((value as CelUrl).url))
}

/** Kubernetes' URL functions. */
export const URLS: Readonly<Record<string, readonly Overload[]>> = {
  url: [overload('string_to_url', [STRING], URL_TYPE, ([text]) => url(text as string))],
  getScheme: [part('url_get_scheme', (of) => of.scheme)],
  getHost: [part('url_get_host', (of) => of.host)],
  getHostname: [part('url_get_hostname', hostname)],
  getPort: [part('url_get_port', port)],
  getEscapedPath: [part('url_get_escaped_path', (of) => of.escapedPath)],
  getQuery: [
    member('url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), ([value]) => query((value as CelUrl).url)),
  ],
  isURL: [overload('is_url_string', [STRING], BOOL, ([text]) => parseRequestUri(text as string).ok)],
}
