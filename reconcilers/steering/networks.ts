import { type Address, maskWord, newPrefix, type Prefix, parsePrefix } from './address.ts'

/**
 * Networks that policies name, as classes: two addresses of one class are in the same of the named networks. Class 0 is in none of them.
 * There are as many classes as distinct prefixes, and one more: few, as people write them.
 */
export interface NetworkClasses {
  readonly count: number
  /** The prefix of each class but 0, at class - 1; the longest first, so that the first that holds an address is its class. */
  readonly prefixes: readonly Prefix[]
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
  const prefixes = [...byText.values()].sort((a, b) => b.length - a.length)
  return {
    count: prefixes.length + 1,
    prefixes,
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
export function networkClass(networks: NetworkClasses, address: Readonly<Address>): number {
  for (let i = 0; i < networks.prefixes.length; i++) if (contains(networks.prefixes[i]!, address)) return i + 1
  return 0
}
