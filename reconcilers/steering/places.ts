import { SHELF } from './shelf.ts'
import { STATE } from './state.ts'

/** Numbers of 64 and of 32 bits that a place takes: 32 bytes. */
const FLOATS = 4
const WORDS = 8

/** `ordinalAt` of a place where nobody stands. */
export const NOBODY = 0xffffffff

/**
 * What a decision reads of the appliances of a shelf, side by side: a shelf has four places, place i is of shelf i >> 2 and bit i & 3 there.
 *
 *     bytes  0…7 load   8…15 weight   16…19 hash   20…23 ordinal   24…27 state   28…31 link
 *
 * Load: utilisation that decisions go by: as reported, or the site's mean when that is stale, plus what has been sent since; of the part that is in use
 * while it starts slowly. Weight: the share of the site's clients it should get, relative to its neighbours: its throughput in Gbit/s, less while it starts
 * slowly. Hash: of its key. State: bits of `STATE`; a place where nobody stands is `Absent`.
 * Link: at the first place of a shelf, the next shelf of the same site, 0 for none; at the second of a site's first shelf, how many shelves it has, less one.
 *
 * The first shelf of site s is 2 s, so that nothing needs to be read to find it; further shelves have odd numbers.
 */
export interface Places {
  readonly floats: Float64Array
  readonly words: Uint32Array
}

export function newPlaces(count: number): Places {
  const bytes = new ArrayBuffer(count * FLOATS * 8)
  const places = { floats: new Float64Array(bytes), words: new Uint32Array(bytes) }
  for (let place = 0; place < count; place++) clearPlace(places, place)
  return places
}

/** The first shelf of a site. */
export const firstShelf = (site: number) => 2 * site

/** The next shelf of the same site; 0: there is none. */
export const nextShelf = ({ words }: Places, shelf: number) => words[shelf * SHELF * WORDS + 7]! | 0

/** How many shelves the site of this first shelf has. */
export const shelvesFrom = ({ words }: Places, first: number) => (words[(first * SHELF + 1) * WORDS + 7]! | 0) + 1

/** Puts a shelf behind the last of those of a site, of which `first` is the first. */
export function linkShelf({ words }: Places, first: number, last: number, added: number): void {
  words[last * SHELF * WORDS + 7] = added
  words[(first * SHELF + 1) * WORDS + 7]!++
}

export const placeCount = ({ floats }: Places) => floats.length / FLOATS

/** Has nobody stand there. */
export function clearPlace(places: Places, place: number): void {
  places.floats.fill(0, place * FLOATS, place * FLOATS + 2)
  places.words[place * WORDS + 4] = 0
  places.words[place * WORDS + 5] = NOBODY
  places.words[place * WORDS + 6] = STATE.Absent
}

/** Copies what is known of an appliance from one place to another. */
export function copyPlace({ words }: Places, place: number, there: number): void {
  words.copyWithin(there * WORDS, place * WORDS, place * WORDS + WORDS - 1)
}

/** The same places, and more. */
export function morePlaces(places: Places, count: number): Places {
  const more = newPlaces(count)
  more.words.set(places.words)
  return more
}

export const loadAt = ({ floats }: Places, place: number) => floats[place * FLOATS]!
export const weightAt = ({ floats }: Places, place: number) => floats[place * FLOATS + 1]!
export const hashAt = ({ words }: Places, place: number) => words[place * WORDS + 4]!
/** The ordinal of the appliance that stands there, or `NOBODY`. */
export const ordinalAt = ({ words }: Places, place: number) => words[place * WORDS + 5]!
export const stateAt = ({ words }: Places, place: number) => words[place * WORDS + 6]!

export function putLoadAt({ floats }: Places, place: number, load: number): void {
  floats[place * FLOATS] = load
}

export function putWeightAt({ floats }: Places, place: number, weight: number): void {
  floats[place * FLOATS + 1] = weight
}

/** Has an appliance stand there, of which nothing else is known. */
export function putOrdinalAt({ words }: Places, place: number, ordinal: number): void {
  words[place * WORDS + 5] = ordinal
}

export function putHashAt({ words }: Places, place: number, hash: number): void {
  words[place * WORDS + 4] = hash
}

function putStateAt({ words }: Places, place: number, state: number): void {
  words[place * WORDS + 6] = state
}

/** Reads both cache lines of a shelf's places: see `touchSite`. */
export const touchShelf = ({ words }: Places, shelf: number) =>
  (words[shelf * SHELF * WORDS]! ^ words[(shelf * SHELF + 2) * WORDS]!) | 0

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
