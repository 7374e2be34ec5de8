import type { Appliance } from '../../crds/types.gen.ts'

/** When so much of the fleet is dark that more likely the observer is blind, or a region is, than that the machines are gone. */
export interface BrakeOptions {
  /** Of the appliances that are in service and were online before, 0–1: more than this share dark engages the brake. */
  readonly maxDarkShare: number
  /** Fewer dark appliances than this never engage it: in a small fleet a few are a large share. */
  readonly minDark: number
}

export const BRAKE_DEFAULTS: BrakeOptions = { maxDarkShare: 0.3, minDark: 3 }

/** How dark the fleet is, as counts: kept up to date by whoever watches appliances, see `darkness`. */
export interface FleetLight {
  /** In service, and seen before. */
  readonly known: number
  /** Of those: not online now, or nobody knows. */
  readonly dark: number
}

export type Brake =
  | { readonly engaged: false }
  /** Nothing may be moved, released or given up. `message`: a sentence for people. */
  | { readonly engaged: true; readonly message: string }

/**
 * How one appliance counts. One that never connected, or that a person has taken out of service, says nothing about the fleet: setting
 * `mode: OutOfService` on machines that are known to be dead is how a person releases the brake.
 */
export function darkness({ spec, status }: Appliance): 'dark' | 'light' | 'uncounted' {
  if (!status?.agent || spec.mode === 'OutOfService' || spec.mode === 'Decommissioned') return 'uncounted'
  const online = status.conditions?.find((condition) => condition.type === 'Online')?.status
  if (online === undefined) return 'uncounted'
  return online === 'True' ? 'light' : 'dark'
}

/** Whether controllers must stop moving anything. Pure, and without memory: it is released by itself when enough come back. */
export function fleetBrake(
  { known, dark }: FleetLight,
  { maxDarkShare, minDark }: BrakeOptions = BRAKE_DEFAULTS,
): Brake {
  if (dark < minDark || dark <= known * maxDarkShare) return { engaged: false }
  const limit = Math.floor(maxDarkShare * 100)
  return {
    engaged: true,
    message: `${dark} of ${known} appliances are not online, more than ${limit} %: nothing is moved until they are back, or their mode says that they are out of service`,
  }
}
