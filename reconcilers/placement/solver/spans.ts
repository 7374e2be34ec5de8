import { firstFrom } from './bands.ts'
import type { Trunk } from './model.ts'

/** A part of a band that a kind of a trunk's appliances is to hold. */
export interface Span {
  /** Position among the trunk's kinds. */
  readonly kind: number
  readonly band: number
  /** 0–1. */
  readonly part: number
  /** By position: its files, or all of the band's where place does not decide. */
  readonly from: number
  readonly to: number
  /** What the trunk is asked for of a file, for each part of demand that it stands for. */
  readonly perShare: number
}

const NOTHING = 1e-6

/**
 * Band by band, the densest first: kinds follow each other by place, so that none holds what another does. Each trunk begins at the other end than its own parent, so that their
 * parts are others, too.
 */
export function* spansOf({ bands, kinds, above }: Trunk, isScattered: boolean): Generator<Span> {
  const isMirrored = above.length % 2 === 1
  for (let band = 0; band < bands.count; band++) {
    const [first, end] = [bands.start[band]!, bands.start[band + 1]!]
    const at = (place: number) => (place > 1 - NOTHING ? end : firstFrom(bands.placeAt, place, first, end))
    let before = 0
    for (const [kind, { held, missed }] of kinds.entries()) {
      const part = held[band]!
      const after = before + part
      const perShare = bands.demand[band]! > 0 ? missed[band]! / bands.demand[band]! : 0
      const [from, to] = isScattered
        ? [first, end]
        : isMirrored
          ? [at(1 - after), at(1 - before)]
          : [at(before), at(after)]
      yield { kind, band, part, from, to, perShare }
      before = after
    }
  }
}
