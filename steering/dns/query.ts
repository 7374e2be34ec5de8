import { decode } from 'dns-packet'
import type { Address } from '../../reconcilers/steering/address.ts'
import { CLIENT_SUBNET, type ClientSubnet, readClientSubnet } from './client-subnet.ts'

/** Codes of answers. Source: RFC 1035 section 4.1.1, RFC 6891 section 9. */
export const RCODE = { NoError: 0, FormErr: 1, ServFail: 2, NxDomain: 3, NotImp: 4, Refused: 5, BadVers: 16 } as const

/** What a resolver asks. */
export interface Query {
  readonly id: number
  /** Parts of the header that an answer repeats: what is to be done, recursion desired, checking disabled. */
  readonly flags: number
  /** The question as it came; undefined where there is not exactly one. */
  readonly question: { readonly name: string; readonly type: string; readonly class: string } | undefined
  /** The longest answer over UDP that it takes. */
  readonly udpBytes: number
  readonly edns: boolean
  /** It would take records of DNSSEC: an answer repeats that. */
  readonly dnssecOk: boolean
  readonly clientSubnet: ClientSubnet | undefined
  /** Why there is nothing to look up: the code of the answer. */
  readonly wrong: number | undefined
}

/** Least that everybody takes, and the most that goes through every network in one piece. Source: RFC 1035 section 4.2.1; DNS flag day 2020. */
const LEAST_UDP_BYTES = 512
const MOST_UDP_BYTES = 1232
const HEADER_BYTES = 12
/** Of the header of a query. Source: RFC 1035 section 4.1.1, RFC 4035 section 3.2.2. */
const REPEATED_FLAGS = 0x7910
const DNSSEC_OK = 0x8000
/** Records that a query may have in its parts: its question, the version that somebody has (IXFR), its OPT and a signature. More would only take time. */
const MOST_RECORDS = [1, 0, 1, 3]

/**
 * Reads a query; the address of its client subnet goes into `client`. Undefined for what is not to be answered at all: what is no DNS message, or is an
 * answer itself, so that no two servers ever keep each other busy.
 */
export function readQuery(message: Buffer, client: Address): Query | undefined {
  if (message.length < HEADER_BYTES || (message[2]! & 0x80) !== 0) return undefined
  const opcode = (message[2]! >> 3) & 15
  const base = { id: message.readUInt16BE(0), flags: message.readUInt16BE(2) & REPEATED_FLAGS }
  const nothing = {
    ...{ question: undefined, udpBytes: LEAST_UDP_BYTES, edns: false, dnssecOk: false, clientSubnet: undefined },
  }
  if (opcode !== 0) return { ...base, ...nothing, wrong: RCODE.NotImp }
  if (MOST_RECORDS.some((most, part) => message.readUInt16BE(4 + 2 * part) > most))
    return { ...base, ...nothing, wrong: RCODE.FormErr }
  let packet: ReturnType<typeof decode>
  try {
    packet = decode(message)
  } catch {
    return { ...base, ...nothing, wrong: RCODE.FormErr }
  }
  const [first, second] = packet.questions ?? []
  const question = first && !second ? { name: first.name, type: first.type, class: first.class ?? 'IN' } : undefined
  const opts = (packet.additionals ?? []).filter((record) => record.type === 'OPT')
  const [opt] = opts
  const answered = { ...base, ...nothing, question, edns: opt !== undefined }
  if (!question || opts.length > 1) return { ...answered, wrong: RCODE.FormErr }
  if (!opt) return { ...answered, wrong: undefined }
  const said = {
    ...answered,
    udpBytes: Math.min(MOST_UDP_BYTES, Math.max(LEAST_UDP_BYTES, opt.udpPayloadSize)),
    dnssecOk: (opt.flags & DNSSEC_OK) !== 0,
  }
  if (opt.ednsVersion !== 0) return { ...said, wrong: RCODE.BadVers }
  const option = opt.options.find(({ code }) => (code as number | string) === CLIENT_SUBNET) as
    | { data?: Buffer }
    | undefined
  if (!option?.data) return { ...said, wrong: undefined }
  const clientSubnet = readClientSubnet(option.data, client)
  return { ...said, clientSubnet, wrong: clientSubnet ? undefined : RCODE.FormErr }
}
