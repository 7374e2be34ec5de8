import { type Address, maskWord, newPrefix, type Prefix, parsePrefix } from './address.ts'
import { PrefixMap } from './client/prefix-map.ts'

/**
 * Networks that policies name, as classes: two addresses of one class are in the same of the named networks. Class 0 is in none of them.
 * There are as many classes as distinct prefixes, and one more: few, as people write them.
 */
export interface NetworkClasses {
  readonly count: number
  /** Prefix → class; undefined when no network is named. */
  readonly map: PrefixMap | undefined
  /** By class: 1 when its addresses are in one of the networks. */
  readonly classesOf: (networks: readonly string[]) => Uint8Array
}

/** Compiles lists of CIDR prefixes. One that is no prefix holds nobody. */
export function compileNetworks(lists: readonly (readonly string[])[]): NetworkClasses {
  const byText = new Map<string, Prefix>()
  for (const text of lists.flat()) {
    const prefix = newPrefix()
    if (!byText.has(text) && parsePrefix(text, prefix) === undefined) byText.set(text, prefix)
  }
  const prefixes = [...byText.values()]
  const map = prefixes.length > 0 ? new PrefixMap(prefixes.length) : undefined
  prefixes.forEach((prefix, i) => {
    map?.set(prefix, i + 1)
  })
  return {
    count: prefixes.length + 1,
    map,
    classesOf: (networks) => {
      const named = networks.flatMap((text) => byText.get(text) ?? [])
      return Uint8Array.from([undefined, ...prefixes], (prefix) =>
        Number(prefix !== undefined && named.some((n) => n.length <= prefix.length && contains(n, prefix))),
      )
    },
  }
}

/** Whether an address, or the first address of a prefix, is in a prefix. */
export function contains(prefix: Prefix, address: Readonly<Address>): boolean {
  if (prefix.v6 !== address.v6) return false
  for (let w = 0; w * 32 < prefix.length; w++) {
    if (((prefix.words[w]! ^ address.words[w]!) & maskWord(prefix.length, w)) !== 0) return false
  }
  return true
}

/** The class of an address. */
export function networkClass({ map }: NetworkClasses, address: Readonly<Address>): number {
  return map ? Math.max(0, map.find(address)) : 0
}
