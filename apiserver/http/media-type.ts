import { notAcceptable } from '../api-error.ts'

/** What the client wants objects turned into. */
export type Transform = 'none' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Accepted {
  readonly transform: Transform
  /** `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`, of a transform. */
  readonly transformVersion: string
  readonly format: 'json' | 'yaml'
  readonly pretty: boolean
  /** The client would rather have had protobuf, whose nested objects do not name their kind. */
  readonly protobuf: boolean
}

export interface Clause {
  readonly type: string
  readonly subtype: string
  readonly params: Readonly<Record<string, string>>
  readonly q: number
}

/** Parses an Accept header, best first (by q, then as written). Malformed clauses are skipped. */
export function parseAccept(header: string): readonly Clause[] {
  const clauses: Clause[] = []
  for (const part of header.split(',')) {
    const [range = '', ...rest] = part.split(';')
    const [type = '', subtype = ''] = range.trim().toLowerCase().split('/')
    if (type === '' || subtype === '') continue
    const params: Record<string, string> = {}
    let q = 1
    for (const p of rest) {
      const i = p.indexOf('=')
      if (i < 0) continue
      const key = p.slice(0, i).trim().toLowerCase()
      const value = p
        .slice(i + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
      if (key === 'q') q = Number.parseFloat(value) || 0
      else params[key] = value
    }
    if (q > 0) clauses.push({ type, subtype, params, q })
  }
  return clauses.sort((a, b) => b.q - a.q)
}

const plain: Accepted = { transform: 'none', transformVersion: '', format: 'json', pretty: false, protobuf: false }
const transforms = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])
const cache = new Map<string, Accepted | null>()

export interface Allowed {
  /** Which transforms the endpoint can make. */
  readonly transforms: readonly Transform[]
  /** Watch streams are JSON only. */
  readonly yaml: boolean
}

const any: Allowed = { transforms: [], yaml: true }

/**
 * Chooses the answer's form, or throws 406 with the forms there are. `accept` absent: JSON. Protobuf is not spoken: a client that asks for nothing
 * else is answered in JSON, whose Content-Type says so; client-go decodes by what it got, not by what it asked for.
 */
export function negotiate(accept: string | undefined, allowed: Allowed = any): Accepted {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return plain
  const key = `${allowed.transforms.join()}|${allowed.yaml}|${accept}`
  let accepted = cache.get(key)
  if (accepted === undefined) {
    accepted = choose(parseAccept(accept), allowed) ?? null
    if (cache.size > 1000) cache.clear()
    cache.set(key, accepted)
  }
  if (accepted) return accepted
  throw notAcceptable(
    `only the following media types are accepted: application/json${allowed.yaml ? ', application/yaml' : ''}`,
  )
}

function choose(clauses: readonly Clause[], allowed: Allowed): Accepted | undefined {
  for (const clause of clauses) {
    const format = formatOf(clause, allowed)
    if (!format) continue
    const { as, g, v, stream } = clause.params
    if (stream !== undefined && stream !== '' && stream !== 'watch') continue
    const pretty = clause.params.pretty === '1'
    const protobuf = clause.subtype === 'vnd.kubernetes.protobuf'
    if (as === undefined && g === undefined && v === undefined) return { ...plain, format, pretty, protobuf }
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1') || as === undefined || !transforms.has(as)) continue
    const transform = as as Transform
    if (!allowed.transforms.includes(transform)) continue
    return { transform, transformVersion: `${g}/${v}`, format, pretty, protobuf }
  }
  return undefined
}

function formatOf({ type, subtype }: Clause, allowed: Allowed): 'json' | 'yaml' | undefined {
  if (type === '*' || type === 'application') {
    if (subtype === '*' || subtype === 'json' || subtype === 'vnd.kubernetes.protobuf') return 'json'
    if (subtype === 'yaml' && allowed.yaml) return 'yaml'
  }
  return undefined
}

/** The media type of a Content-Type header, lower case, without parameters; '' when absent. */
export function mediaType(header: string | undefined): string {
  if (header === undefined) return ''
  const i = header.indexOf(';')
  return (i < 0 ? header : header.slice(0, i)).trim().toLowerCase()
}
