import { alignedBytes } from './page-memory.ts'
import { SHELF } from './shelf.ts'
import { STATE } from './state.ts'

/** Words that a place takes: 16 bytes, so that a shelf is one cache line. */
const WORDS = 4
const SHIFT = Math.log2(WORDS)

/** Of a place's last word the low bits are its state, the others are its ordinal. */
const STATE_BITS = 6
const STATE_MASK = (1 << STATE_BITS) - 1

/** `ordinalAt` of a place where nobody stands. */
export const NOBODY = 0xffffffff >>> STATE_BITS

/**
 * What a decision reads of the appliances of a shelf, side by side: a shelf has four places, place i is of shelf i >> 2 and bit i & 3 there.
 *
 *     bytes  0…3 load   4…7 weight   8…11 hash   12…15 ordinal and state
 *
 * Load: utilisation that decisions go by: as reported, or the site's mean when that is stale, plus what has been sent since; of the part that is in use
 * while it starts slowly. Weight: the share of the site's clients it should get, relative to its neighbours: its throughput in Gbit/s, less while it starts
 * slowly. Hash: of its key. State: bits of `STATE`; a place where nobody stands is `Absent`.
 *
 * The first shelf of site s is 2 s, so that nothing needs to be read to find it; further shelves have odd numbers.
 */
export interface Places {
  readonly floats: Float32Array
  readonly words: Uint32Array
  /** By shelf: the next shelf of the same site, 0 for none. */
  readonly links: Uint32Array
}

export function newPlaces(count: number): Places {
  const bytes = alignedBytes(count * WORDS * 4)
  const length = count * WORDS
  const places = {
    floats: new Float32Array(bytes, 0, length),
    words: new Uint32Array(bytes, 0, length),
    links: new Uint32Array(Math.ceil(count / SHELF)),
  }
  for (let place = 0; place < count; place++) clearPlace(places, place)
  return places
}

/** The first shelf of a site. */
export const firstShelf = (site: number) => 2 * site

/** The next shelf of the same site; 0: there is none. */
export const nextShelf = ({ links }: Places, shelf: number) => links[shelf]! | 0

/** The place of the lowest member of a set of those of a shelf. */
export const placeOfFirst = (shelf: number, who: number) => (shelf * SHELF) | (31 - Math.clz32(who & -who))

/** How many shelves the site of this first shelf has: one, where no place has been made for it yet. */
export function shelvesFrom({ links }: Places, first: number): number {
  let count = 1
  for (let shelf = links[first]! | 0; shelf !== 0; shelf = links[shelf]! | 0) count++
  return count
}

/** Puts a shelf behind the last of those of a site. */
export function linkShelf({ links }: Places, last: number, added: number): void {
  links[last] = added
}

export const placeCount = ({ words }: Places) => words.length / WORDS

/** Has nobody stand there. */
export function clearPlace({ words }: Places, place: number): void {
  words.fill(0, place * WORDS, place * WORDS + WORDS - 1)
  words[place * WORDS + WORDS - 1] = (NOBODY << STATE_BITS) | STATE.Absent
}

/** Copies what is known of an appliance from one place to another. */
export function copyPlace({ words }: Places, place: number, there: number): void {
  words.copyWithin(there * WORDS, place * WORDS, (place + 1) * WORDS)
}

/** The same places, and more. */
export function morePlaces(places: Places, count: number): Places {
  const more = newPlaces(count)
  more.words.set(places.words)
  more.links.set(places.links)
  return more
}

export const loadAt = ({ floats }: Places, place: number) => floats[place << SHIFT]!
export const weightAt = ({ floats }: Places, place: number) => floats[(place << SHIFT) | 1]!
export const hashAt = ({ words }: Places, place: number) => words[(place << SHIFT) | 2]!
/** The ordinal of the appliance that stands there, or `NOBODY`. */
export const ordinalAt = ({ words }: Places, place: number) => words[(place << SHIFT) | 3]! >>> STATE_BITS
export const stateAt = ({ words }: Places, place: number) => words[(place << SHIFT) | 3]! & STATE_MASK

export function putLoadAt({ floats }: Places, place: number, load: number): void {
  floats[place * WORDS] = load
}

export function putWeightAt({ floats }: Places, place: number, weight: number): void {
  floats[place * WORDS + 1] = weight
}

/** Has an appliance stand there, of which nothing else is known. */
export function putOrdinalAt(places: Places, place: number, ordinal: number): void {
  places.words[place * WORDS + 3] = (ordinal << STATE_BITS) | stateAt(places, place)
}

export function putHashAt({ words }: Places, place: number, hash: number): void {
  words[place * WORDS + 2] = hash
}

function putStateAt({ words }: Places, place: number, state: number): void {
  words[place * WORDS + 3] = (words[place * WORDS + 3]! & ~STATE_MASK) | state
}

/** Reads a shelf's places ahead of use: see `touchSite`. */
export const touchShelf = ({ words }: Places, shelf: number) => words[(shelf * SHELF) << SHIFT]! | 0

/** Where appliances stand. */
interface Standing {
  readonly places: Places
  /** By appliance. */
  readonly appliancePlace: Int32Array
}

/** Utilisation of an appliance that decisions go by. */
export const loadOf = ({ places, appliancePlace }: Standing, appliance: number) =>
  loadAt(places, appliancePlace[appliance]!)

/** Weight of an appliance: see `Places`. */
export const weightOf = ({ places, appliancePlace }: Standing, appliance: number) =>
  weightAt(places, appliancePlace[appliance]!)

/** Bits of `STATE` of an appliance. */
export const stateOf = ({ places, appliancePlace }: Standing, appliance: number) =>
  stateAt(places, appliancePlace[appliance]!)

export function setState({ places, appliancePlace }: Standing, appliance: number, state: number): void {
  putStateAt(places, appliancePlace[appliance]!, state)
}
