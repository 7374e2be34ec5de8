import { type Answer as DnsRecord, encode } from 'dns-packet'
import { type Address, newAddress } from '../../reconcilers/steering/address.ts'
import { CLIENT_SUBNET, writeClientSubnet } from './client-subnet.ts'
import { type Query, RCODE, readQuery } from './query.ts'
import { type Found, recordsOf } from './zone.ts'

export interface ResponderOptions {
  /** The zone, in small letters, without a dot at the end: `play.example.com`. */
  readonly zone: string
  /** Names of the zone's name servers. */
  readonly nameServers: readonly string[]
  /** Longest that an answer may be kept, in seconds: an appliance that fails stays in resolvers' answers for so long. */
  readonly ttlSeconds: number
  /** What labels below the zone mean to a client. */
  readonly find: (labels: readonly string[], client: Readonly<Address>) => Found | undefined
  /** How long a prefix the answer for a client holds for. */
  readonly scopeOf: (client: Readonly<Address>, sourceLength: number) => number
  /** Serial of the zone. */
  readonly serial: () => number
}

/** An answer, with the name of its code for metrics. */
export interface DnsAnswer {
  readonly message: Buffer
  readonly code: string
}

const AUTHORITATIVE = 0x400
const TRUNCATED = 0x200
const DNSSEC_OK = 0x8000
const OUR_UDP_BYTES = 1232
/** How long it is remembered that a name does not exist. */
const NEGATIVE_TTL_SECONDS = 5
const SOA_TTL_SECONDS = 300

interface Content {
  readonly code: number
  readonly answers?: readonly DnsRecord[]
  readonly authorities?: readonly DnsRecord[]
  readonly scope?: number
  readonly isOurs?: boolean
}

/** Answers DNS queries for one zone. Knows nothing of sockets. */
export class DnsResponder {
  readonly #options: ResponderOptions
  readonly #labels: number
  readonly #subnet = newAddress()

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#labels = options.zone.split('.').length
  }

  /** The answer to a message from a resolver, no longer than that takes over UDP (`udp`), or whole. Undefined: none is due. */
  answer(message: Buffer, resolver: Readonly<Address>, udp: boolean): DnsAnswer | undefined {
    const query = readQuery(message, this.#subnet)
    if (!query) return undefined
    const content = this.#content(query, resolver)
    let whole: Buffer
    try {
      whole = this.#encode(query, content, false)
    } catch {
      // Names may hold any bytes, and not all of them can be said again.
      const wrong = { ...query, question: undefined, clientSubnet: undefined }
      return { message: this.#encode(wrong, { code: RCODE.FormErr }, false), code: codeName(RCODE.FormErr) }
    }
    const fits = !udp || whole.length <= query.udpBytes
    return { message: fits ? whole : this.#encode(query, content, true), code: codeName(content.code) }
  }

  /** An answer that says no more than to ask again over TCP: who forges a source address cannot. */
  truncated(message: Buffer): Buffer | undefined {
    const query = readQuery(message, this.#subnet)
    return query && this.#encode(query, { code: RCODE.NoError }, true)
  }

  #content(query: Query, resolver: Readonly<Address>): Content {
    const { question, wrong, clientSubnet } = query
    if (wrong !== undefined || !question) return { code: wrong ?? RCODE.FormErr }
    const name = question.name.toLowerCase().replace(/\.$/, '')
    const { zone } = this.#options
    const isInZone = name === zone || name.endsWith(`.${zone}`)
    if (!isInZone || question.class !== 'IN' || question.type === 'AXFR' || question.type === 'IXFR')
      return { code: RCODE.Refused }
    if (name === zone) return this.#apex(question.type)
    // Length 0 is somebody who does not want to be told apart: his resolver is all that counts. Source: RFC 7871 section 7.1.2.
    const client = clientSubnet && clientSubnet.sourceLength > 0 ? this.#subnet : resolver
    const labels = name.split('.').slice(0, -this.#labels)
    const found = this.#options.find(labels, client)
    if (!found) return { code: RCODE.NxDomain, authorities: [this.#soa(NEGATIVE_TTL_SECONDS)], isOurs: true }
    const scope =
      !found.perClient || !clientSubnet || clientSubnet.sourceLength === 0
        ? 0
        : this.#options.scopeOf(client, clientSubnet.sourceLength)
    const answers = this.#addresses(question, found)
    if (answers.length === 0)
      return { code: RCODE.NoError, authorities: [this.#soa(NEGATIVE_TTL_SECONDS)], scope, isOurs: true }
    return { code: RCODE.NoError, answers, scope, isOurs: true }
  }

  #addresses({ name, type }: { readonly name: string; readonly type: string }, found: Found): DnsRecord[] {
    const ttl = Math.max(1, Math.min(this.#options.ttlSeconds, found.ttlSeconds))
    return recordsOf(found.hosts, type).map((record) => ({ name, class: 'IN', ttl, ...record }))
  }

  #apex(type: string): Content {
    const { zone, nameServers } = this.#options
    const ns = nameServers.map(
      (data): DnsRecord => ({ name: zone, type: 'NS', class: 'IN', ttl: SOA_TTL_SECONDS, data }),
    )
    if (type === 'NS') return { code: RCODE.NoError, answers: ns, isOurs: true }
    if (type === 'SOA') return { code: RCODE.NoError, answers: [this.#soa(SOA_TTL_SECONDS)], isOurs: true }
    return { code: RCODE.NoError, authorities: [this.#soa(NEGATIVE_TTL_SECONDS)], isOurs: true }
  }

  #soa(ttl: number): DnsRecord {
    const { zone, nameServers, serial } = this.#options
    const data = {
      mname: nameServers[0] ?? `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: serial(),
      ...{ refresh: 3600, retry: 600, expire: 86_400, minimum: NEGATIVE_TTL_SECONDS },
    }
    return { name: zone, type: 'SOA', class: 'IN', ttl, data }
  }

  #encode(
    query: Query,
    { code, answers = [], authorities = [], scope = 0, isOurs = false }: Content,
    truncated: boolean,
  ): Buffer {
    const { id, question, edns, clientSubnet, dnssecOk } = query
    const flags = (isOurs ? AUTHORITATIVE : 0) | (truncated ? TRUNCATED : 0) | query.flags | (code & 15)
    const options = clientSubnet ? [{ code: CLIENT_SUBNET, data: writeClientSubnet(clientSubnet, scope) }] : []
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: OUR_UDP_BYTES,
      extendedRcode: code >> 4,
      ednsVersion: 0,
      flags: dnssecOk ? DNSSEC_OK : 0,
      options,
    }
    return encode({
      id,
      type: 'response',
      flags,
      questions: question ? [question as { name: string; type: 'A' }] : [],
      answers: truncated ? [] : [...answers],
      authorities: truncated ? [] : [...authorities],
      additionals: edns ? [opt as unknown as DnsRecord] : [],
    })
  }
}

function codeName(code: number): string {
  return Object.entries(RCODE).find(([, value]) => value === code)?.[0] ?? String(code)
}
