import type { KindName } from './types.gen.ts'

/** Kinds that no person writes, and who does. Every other kind can be authored: `weir new`, the typed builders. */
export const writtenBy = {
  Assignment: 'the controllers write one for each Appliance',
  PlacementPlan: 'the placement controller writes them; write a PlacementPolicy',
} as const satisfies Readonly<Partial<Record<KindName, string>>>
