import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import type { SoFar } from '../../reconcilers/placement/control.ts'
import type { Placed } from '../../reconcilers/placement/placed.ts'
import type { PlacementAppliance, PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'
import { StoredHolding } from '../../reconcilers/placement/stored-holding.ts'
import type { PlannedBlob } from '../../reconcilers/plan.ts'
import { shared } from './shared.ts'
import { type SetSource, StoredManifest, StoredSets } from './stored-sets.ts'

/** Sets of files cross between threads as their words, or as where they are stored. */
type Words = Uint32Array

type ApplianceMessage = Omit<PlacementAppliance, 'held'> & { readonly held?: Words | SetSource }

type SiteMessage = Omit<PlacementSite, 'appliances' | 'gone'> & {
  readonly appliances: readonly ApplianceMessage[]
  readonly gone?: readonly ApplianceMessage[]
}

export type ProblemMessage = Omit<PlacementProblem, 'sites' | 'pins' | 'excluded' | 'licences'> & {
  readonly sites: readonly SiteMessage[]
  readonly pins: readonly { readonly files: Words; readonly copies: number | 'all' }[]
  readonly excluded: Words
  readonly licences: readonly { readonly files: Words; readonly regions: readonly string[] }[]
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
  /** Where manifests are taken as they are made: one Int32, bytes of them that are not stored yet. */
  readonly unstored?: SharedArrayBuffer
}

/** What a solver thread says: manifests as they are made, how far it is, now and then, and in the end its answer. */
export type SolverMessage =
  | { readonly done: number; readonly soFar?: SoFar }
  | { readonly blob: PlannedBlob & { readonly bytes: Uint8Array } }
  | { readonly placed: PlacedMessage }

/** The problem with columns that threads share, and without sets that each can read itself. */
export function problemMessage({ sites, pins, excluded, licences = [], ...rest }: PlacementProblem): ProblemMessage {
  return {
    ...rest,
    sizes: shared(rest.sizes),
    popularity: rest.popularity.map(shared),
    fileHashes: shared(rest.fileHashes),
    sites: sites.map(({ appliances, gone, ...site }) => ({
      ...site,
      appliances: appliances.map(applianceMessage),
      ...(gone && { gone: gone.map(applianceMessage) }),
    })),
    pins: pins.map(({ files, copies }) => ({ files: files.words, copies })),
    excluded: excluded.words,
    licences: licences.map(({ files, regions }) => ({ files: files.words, regions })),
  }
}

function applianceMessage(appliance: PlacementAppliance): ApplianceMessage {
  const { key, storageBytes, throughputGbps } = appliance
  const rest = { key, storageBytes, throughputGbps }
  if (appliance instanceof StoredHolding && appliance.stored instanceof StoredManifest)
    return { ...rest, held: appliance.stored.source }
  const { held } = appliance
  return held ? { ...rest, held: held.words } : rest
}

function applianceFrom({ held, ...appliance }: ApplianceMessage, sets: StoredSets): PlacementAppliance {
  if (!held) return appliance
  if (held instanceof Uint32Array) return { ...appliance, held: new FileSet(held) }
  return new StoredHolding(appliance, sets.of(held))
}

export function problemFrom({ sites, pins, excluded, licences, ...rest }: ProblemMessage): PlacementProblem {
  const sets = new StoredSets()
  return {
    ...rest,
    sites: sites.map(({ appliances, gone, ...site }) => ({
      ...site,
      appliances: appliances.map((appliance) => applianceFrom(appliance, sets)),
      ...(gone && { gone: gone.map((appliance) => applianceFrom(appliance, sets)) }),
    })),
    pins: pins.map(({ files, copies }) => ({ files: new FileSet(files), copies })),
    excluded: new FileSet(excluded),
    licences: licences.map(({ files, regions }) => ({ files: new FileSet(files), regions })),
  }
}

export function placedMessage({ somewhere, everywhere, ...rest }: Placed): PlacedMessage {
  return { ...rest, somewhere: somewhere.words, everywhere: everywhere.words }
}

export function placedFrom({ somewhere, everywhere, ...rest }: PlacedMessage): Placed {
  return { ...rest, somewhere: new FileSet(somewhere), everywhere: new FileSet(everywhere) }
}
