import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import type { Placed } from '../../reconcilers/placement/placed.ts'
import type { PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'

/** Sets of files cross between threads as their words. */
type Words = Uint32Array

type SiteMessage = Omit<PlacementSite, 'appliances'> & {
  readonly appliances: readonly (Omit<PlacementSite['appliances'][number], 'held'> & { readonly held?: Words })[]
}

export type ProblemMessage = Omit<PlacementProblem, 'sites' | 'pins' | 'excluded'> & {
  readonly sites: readonly SiteMessage[]
  readonly pins: readonly { readonly files: Words; readonly copies: number | 'all' }[]
  readonly excluded: Words
}

export type PlacedMessage = Omit<Placed, 'somewhere' | 'everywhere'> & {
  readonly somewhere: Words
  readonly everywhere: Words
}

/** What a solver thread is started with. */
export interface SolverJob {
  readonly problem: ProblemMessage
  readonly catalogDigest: string
  /** One Int32: 1 once it is to end with what it has. */
  readonly end: SharedArrayBuffer
}

/** What a solver thread says: how far it is, now and then, and in the end its answer. */
export type SolverMessage = { readonly done: number } | { readonly placed: PlacedMessage }

export function problemMessage({ sites, pins, excluded, ...rest }: PlacementProblem): ProblemMessage {
  return {
    ...rest,
    sites: sites.map(({ appliances, ...site }) => ({
      ...site,
      appliances: appliances.map(({ held, ...appliance }) => ({ ...appliance, ...(held && { held: held.words }) })),
    })),
    pins: pins.map(({ files, copies }) => ({ files: files.words, copies })),
    excluded: excluded.words,
  }
}

export function problemFrom({ sites, pins, excluded, ...rest }: ProblemMessage): PlacementProblem {
  return {
    ...rest,
    sites: sites.map(({ appliances, ...site }) => ({
      ...site,
      appliances: appliances.map(({ held, ...appliance }) => ({
        ...appliance,
        ...(held && { held: new FileSet(held) }),
      })),
    })),
    pins: pins.map(({ files, copies }) => ({ files: new FileSet(files), copies })),
    excluded: new FileSet(excluded),
  }
}

export function placedMessage({ somewhere, everywhere, ...rest }: Placed): PlacedMessage {
  return { ...rest, somewhere: somewhere.words, everywhere: everywhere.words }
}

export function placedFrom({ somewhere, everywhere, ...rest }: PlacedMessage): Placed {
  return { ...rest, somewhere: new FileSet(somewhere), everywhere: new FileSet(everywhere) }
}
