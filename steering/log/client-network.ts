import { type Address, formatAddress, newAddress } from '../../reconcilers/steering/address.ts'

const network = newAddress()

/** The network of a client as a prefix: no log needs to know more of who watches what. */
export function networkText({ v6, words }: Readonly<Address>): string {
  const w = words[0]!
  if (!v6) return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.0/24`
  network.v6 = true
  network.words.fill(0)
  network.words[0] = w
  network.words[1] = (words[1]! & 0xffff0000) >>> 0
  return `${formatAddress(network)}/48`
}
