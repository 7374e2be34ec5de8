import type { Address } from '../../reconcilers/steering/address.ts'

/** For whom a resolver asks: EDNS client subnet, RFC 7871. */
export interface ClientSubnet {
  readonly v6: boolean
  readonly sourceLength: number
  /** The option's data, as it came. */
  readonly data: Buffer
}

/** The option's code among EDNS options. */
export const CLIENT_SUBNET = 8

/**
 * Reads the option's data, and its address into `address`. Undefined where it is malformed, to be answered by FORMERR: an unknown family, more or fewer bytes than
 * the prefix takes, bits set beyond it, a scope in a question. Source: RFC 7871 sections 6 and 7.1.2.
 */
export function readClientSubnet(data: Buffer, address: Address): ClientSubnet | undefined {
  if (data.length < 4) return undefined
  const family = data.readUInt16BE(0)
  const sourceLength = data[2]!
  if (family > 2 || data[3] !== 0) return undefined
  // Somebody who does not want to be told apart need not even say of which family he is: `dig +subnet=0` does not.
  if (family === 0 && sourceLength !== 0) return undefined
  const v6 = family === 2
  const bytes = Math.ceil(sourceLength / 8)
  if (sourceLength > (v6 ? 128 : 32) || data.length !== 4 + bytes) return undefined
  const spare = bytes * 8 - sourceLength
  if (bytes > 0 && (data[3 + bytes]! & ((1 << spare) - 1)) !== 0) return undefined
  const { words } = address
  words.fill(0)
  for (let i = 0; i < bytes; i++) words[i >> 2] = (words[i >> 2]! | (data[4 + i]! << (24 - 8 * (i & 3)))) >>> 0
  address.v6 = v6
  return { v6, sourceLength, data }
}

/** The option's data in an answer: as it was asked, and for how long a prefix the answer holds. */
export function writeClientSubnet({ data }: ClientSubnet, scopeLength: number): Buffer {
  const answer = Buffer.from(data)
  answer[3] = scopeLength
  return answer
}
