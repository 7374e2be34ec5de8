type Value = string | number | readonly string[] | { readonly [key: string]: Value }

/** Writes a small database in MaxMind's format, IPv6 with IPv4 under ::/96, records of 24 bits. Prefixes are bits as text. */
export function writeMmdb(
  type: string,
  networks: readonly { readonly bits: string; readonly data: Value }[],
): Uint8Array {
  // A node is two of: undefined (empty), a node, or the number of a network.
  type Node = [Node | number | undefined, Node | number | undefined]
  const root: Node = [undefined, undefined]
  networks.forEach(({ bits }, n) => {
    let node = root
    for (const bit of bits.slice(0, -1)) {
      const next = node[Number(bit)]
      if (Array.isArray(next)) node = next
      else node[Number(bit)] = node = [undefined, undefined]
    }
    node[Number(bits.at(-1))] = n
  })
  const nodes: Node[] = []
  const number = (node: Node): void => {
    nodes.push(node)
    for (const child of node) if (Array.isArray(child)) number(child)
  }
  number(root)
  const data: number[] = []
  const offsets = networks.map((network) => {
    const at = data.length
    data.push(...encode(network.data))
    return at
  })
  const record = (child: Node[number]) =>
    child === undefined
      ? nodes.length
      : Array.isArray(child)
        ? nodes.indexOf(child)
        : nodes.length + 16 + offsets[child]!
  const tree = nodes.flatMap((node) => node.flatMap((child) => bytesOf(record(child), 3)))
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_900_000_000,
    database_type: type,
    description: { en: 'test' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  })
  const marker = [0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')]
  return Uint8Array.from([...tree, ...new Array<number>(16).fill(0), ...data, ...marker, ...metadata])
}

const bytesOf = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** (count - 1 - i)) & 255)

/** A control byte (type and size), then the value. Types above 7 are written in a byte of their own. */
function encode(value: Value): number[] {
  if (typeof value === 'string') {
    const bytes = [...Buffer.from(value)]
    return [(2 << 5) | bytes.length, ...bytes]
  }
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0) return [(6 << 5) | 4, ...bytesOf(value, 4)]
    const double = Buffer.alloc(8)
    double.writeDoubleBE(value)
    return [(3 << 5) | 8, ...double]
  }
  if (Array.isArray(value)) return [value.length, 11 - 7, ...value.flatMap((one: string) => encode(one))]
  const entries = Object.entries(value)
  return [(7 << 5) | entries.length, ...entries.flatMap(([key, one]) => [...encode(key), ...encode(one)])]
}

/** The bits of an IPv4 prefix as the tree has them. */
export const v4Bits = (address: string, length: number) =>
  '0'.repeat(96) +
  address
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('')
    .slice(0, length)
