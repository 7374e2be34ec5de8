import { sayBytes } from '../../reconcilers/bytes.ts'
import type { Standing, Why } from '../../reconcilers/placement/solver/explain.ts'
import type { SiteExplanation } from './document.ts'

/** The one file that was asked for. */
export interface OnlyFile {
  readonly standing: Standing
  readonly why: Why
  readonly sizeBytes: number
  readonly largestBytes: number
}

/** Of files, for sentences about several. */
export const REASONS: Readonly<Record<Why, string>> = {
  Excluded: 'excluded by the policy',
  NotLicensed: 'not licensed for this region',
  Pinned: 'pinned',
  PinHasNoRoom: 'pinned, without room',
  TooLarge: 'larger than any appliance may hold',
  EarnsItsPlace: 'earning their place',
  MovingCosts: 'staying as moving costs',
  RoomLeft: 'where room is left',
  NextPlan: 'to come with the next plan',
  MustEarnItsMove: 'not worth moving in',
  ParentHolds: 'left to the parent',
  BelowCutOff: 'below the cut-off',
  NoRoom: 'left out at the margin',
}

/** Why, and what would change it. */
export function messageOf(told: Omit<SiteExplanation, 'message'>, only: OnlyFile | undefined): string {
  if (!only) return told.reasons.map(({ why, files }) => `${files} ${REASONS[why]}`).join(', ')
  const { standing, sizeBytes, largestBytes } = only
  const { timesCutOff, timesCutOffAlone, timesCutOffToCome } = standing
  const earns = timesCutOff > 0 ? `earns ${timesText(timesCutOff)} the cut-off` : 'is not asked for here'
  switch (only.why) {
    case 'Excluded':
      return 'excluded by the policy'
    case 'NotLicensed':
      return 'the catalog says that it is not licensed here: `licensedIn` names neither the country nor the region of the site'
    case 'Pinned':
      return 'pinned by the policy, whatever it earns'
    case 'PinHasNoRoom':
      return `pinned by the policy, but no appliance has room for ${sayBytes(sizeBytes)}`
    case 'TooLarge':
      return `larger, at ${sayBytes(sizeBytes)}, than what any appliance here may hold: ${sayBytes(largestBytes)}`
    case 'EarnsItsPlace':
      return Number.isFinite(timesCutOff) ? earns : 'nothing is scarce here'
    case 'MovingCosts':
      return `${earns}: it stays, while what is not here must earn ${timesText(timesCutOff / timesCutOffToCome)}`
    case 'RoomLeft':
      return `${earns}: it is in room that nothing better needs`
    case 'NextPlan':
      return `${earns}: a plan made now would have it here`
    case 'NoRoom':
      return `${earns}, yet a plan made now leaves it out: at the margin files are placed whole, and small gains are not worth moving for`
    case 'MustEarnItsMove':
      return `${earns}, but moving it in must pay, too${helpText(told.wouldHelp)}`
    case 'ParentHolds':
      return `${earns}, as ${told.parent} holds it, and ${timesText(timesCutOffAlone)} without${helpText(told.wouldHelp)}`
    case 'BelowCutOff':
      return `${earns}${helpText(told.wouldHelp)}`
  }
}

/** `: would need 2.5× its popularity, or 40 TiB more here`. */
function helpText({ popularityTimes, storageBytes }: NonNullable<SiteExplanation['wouldHelp']> = {}): string {
  const ways = [
    ...(popularityTimes === undefined ? [] : [`${timesText(popularityTimes)} its popularity`]),
    ...(storageBytes === undefined ? [] : [`${sayBytes(storageBytes)} more storage here`]),
  ]
  return ways.length === 0 ? '' : `: would need ${ways.join(', or ')}`
}

/** Two digits, `3.2×`; nobody needs to know more. */
export function timesText(times: number): string {
  if (!Number.isFinite(times)) return '∞'
  const digits = times >= 100 ? Math.round(times) : Number(times.toPrecision(2))
  return digits >= 1e6 ? '>999999×' : `${digits < 0.001 && digits > 0 ? '<0.001' : digits}×`
}
