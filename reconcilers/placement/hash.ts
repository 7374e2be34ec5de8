/** MurmurHash3's 32-bit finaliser: every input bit changes every output bit with probability ½. */
export function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits of a string (FNV-1a over UTF-16 code units, finalised). */
export function hashString(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h)
}

/**
 * The score of a file on an appliance under weighted rendezvous hashing: the appliances with the highest scores hold the file. Adding or
 * losing an appliance moves only the files it wins or had won, in proportion to its weight.
 * Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005 (the logarithmic method).
 */
export function rendezvousScore(fileHash: number, applianceHash: number, weight: number): number {
  // A number in (0, 1): zero would give an infinite score.
  const uniform = (mix(fileHash ^ applianceHash) + 0.5) / 4294967296
  return -weight / Math.log(uniform)
}
