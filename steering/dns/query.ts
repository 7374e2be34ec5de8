import { decode } from 'dns-packet'
import type { Address } from '../../reconcilers/steering/address.ts'
import { CLIENT_SUBNET, type ClientSubnet, readClientSubnet } from './client-subnet.ts'

/** Codes of answers. Source: RFC 1035 section 4.1.1, RFC 6891 section 9. */
export const RCODE = { NoError: 0, FormErr: 1, ServFail: 2, NxDomain: 3, NotImp: 4, Refused: 5, BadVers: 16 } as const

/** What a resolver asks. */
export interface Query {
  readonly id: number
  readonly recursionDesired: boolean
  /** The question as it came; undefined where there is not exactly one. */
  readonly question: { readonly name: string; readonly type: string; readonly class: string } | undefined
  /** The longest answer over UDP that it takes. */
  readonly udpBytes: number
  readonly edns: boolean
  readonly clientSubnet: ClientSubnet | undefined
  /** Why there is nothing to look up: the code of the answer. */
  readonly wrong: number | undefined
}

/** Least that everybody takes, and the most that goes through every network in one piece. Source: RFC 1035 section 4.2.1; DNS flag day 2020. */
const LEAST_UDP_BYTES = 512
const MOST_UDP_BYTES = 1232
const HEADER_BYTES = 12

/**
 * Reads a query; the address of its client subnet goes into `client`. Undefined for what is not to be answered at all: what is no DNS message, or is an
 * answer itself, so that no two servers ever keep each other busy.
 */
export function readQuery(message: Buffer, client: Address): Query | undefined {
  if (message.length < HEADER_BYTES || (message[2]! & 0x80) !== 0) return undefined
  const opcode = (message[2]! >> 3) & 15
  const base = { id: message.readUInt16BE(0), recursionDesired: (message[2]! & 1) !== 0 }
  const nothing = { question: undefined, udpBytes: LEAST_UDP_BYTES, edns: false, clientSubnet: undefined }
  if (opcode !== 0) return { ...base, ...nothing, wrong: RCODE.NotImp }
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
  const answered = { ...base, question, udpBytes: LEAST_UDP_BYTES, edns: opt !== undefined, clientSubnet: undefined }
  if (!question || opts.length > 1) return { ...answered, wrong: RCODE.FormErr }
  if (!opt) return { ...answered, wrong: undefined }
  const udpBytes = Math.min(MOST_UDP_BYTES, Math.max(LEAST_UDP_BYTES, opt.udpPayloadSize))
  if (opt.ednsVersion !== 0) return { ...answered, udpBytes, wrong: RCODE.BadVers }
  const option = opt.options.find(({ code }) => (code as number | string) === CLIENT_SUBNET) as
    | { data?: Buffer }
    | undefined
  if (!option?.data) return { ...answered, udpBytes, wrong: undefined }
  const clientSubnet = readClientSubnet(option.data, client)
  return { ...answered, udpBytes, clientSubnet, wrong: clientSubnet ? undefined : RCODE.FormErr }
}
