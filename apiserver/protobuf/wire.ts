/** Thrown where bytes are not protobuf, or not what the message should hold. */
export class ProtobufError extends Error {}

/** One field as it is on the wire: a varint or fixed number, or bytes. */
export interface WireField {
  readonly number: number
  readonly varint?: bigint
  readonly bytes?: Buffer
  readonly double?: number
}

/** Reads the fields of one message, in order. https://protobuf.dev/programming-guides/encoding/ */
export function* wireFields(bytes: Buffer): Iterable<WireField> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new ProtobufError('unexpected EOF')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new ProtobufError('integer overflow')
  }
  const take = (size: number): Buffer => {
    if (size > bytes.length - at) throw new ProtobufError('unexpected EOF')
    at += size
    return bytes.subarray(at - size, at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    if (number === 0) throw new ProtobufError('illegal tag 0')
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, varint: varint() }
        break
      case 1:
        yield { number, double: take(8).readDoubleLE() }
        break
      case 2:
        yield { number, bytes: take(Number(varint())) }
        break
      case 5:
        yield { number, double: take(4).readFloatLE() }
        break
      default:
        throw new ProtobufError(`illegal wire type ${Number(tag & 7n)}`)
    }
  }
}
