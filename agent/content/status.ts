import type { ApplianceContent, FileFailure } from '../../crds/types.gen.ts'
import { sayWaitingFor } from '../../reconcilers/agent/waiting-for.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import type { Filler } from './filler.ts'
import type { Keeper } from './keeper.ts'
import type { Room } from './room.ts'
import type { Schedule } from './schedule.ts'
import type { Sources } from './sources.ts'
import type { ContentStore } from './store.ts'

export interface StatusParts {
  readonly keeper: Keeper
  readonly filler: Filler
  readonly store: ContentStore
  readonly room: Room
  readonly schedule: Schedule
  readonly sources: Sources
  readonly notInForce: string | undefined
}

const FAILURES_TOLD = 10

/** What the appliance holds of what it should hold, as `Appliance.status.content` says it. */
export function contentStatus(parts: StatusParts): Omit<ApplianceContent, 'inventories'> {
  const { keeper, filler, store, room } = parts
  const progress = filler.progress()
  const failures = [...filler.failures(), ...conflictsOf(keeper)].sort(
    (a, b) => compare(a.path, b.path) || compare(a.catalog, b.catalog),
  )
  const sum = (number: (view: Keeper['views'][number]) => number) =>
    keeper.views.reduce((total, view) => total + number(view), 0)
  const filesDesired = sum((view) => view.files.length)
  const bytesDesired = sum((view) => view.bytes)
  const filesHeld = sum((view) => view.heldFiles)
  const bytesHeld = sum((view) => view.heldBytes)
  const waitingFor = sayWaitingFor({
    unassigned: keeper.assignment === undefined,
    ...(parts.notInForce !== undefined && { notInForce: parts.notInForce }),
    missingFiles: progress.missingFiles,
    failingFiles: failures.length,
    shortBytes: progress.shortBytes,
    drainingBytes: keeper.surplusBytes,
    paused: parts.schedule.isPaused,
    windowClosed: !parts.schedule.isOpen,
    ...(parts.schedule.opensAt !== undefined && { windowOpensAt: parts.schedule.opensAt }),
    ...whence(parts.sources, progress.lastSource),
  })
  return {
    generation: keeper.assignment?.generation ?? 0,
    filesDesired,
    bytesDesired,
    filesHeld,
    bytesHeld,
    filesFailing: failures.length,
    bytesToFill: progress.missingBytes,
    progressPercent: percent(filesHeld, filesDesired, bytesHeld, bytesDesired),
    storageUsedBytes: store.usedBytes,
    storageCapacityBytes: room.capacityBytes,
    ...(waitingFor !== '' && { waitingFor: clip(waitingFor, 512) }),
    failures: failures.slice(0, FAILURES_TOLD).map(clipped),
  }
}

/** Where bytes come from; when a source is in trouble, that one. */
function whence(sources: Sources, lastSource: string | undefined): { from?: string; fromTrouble?: string } {
  for (const [from, fromTrouble] of sources.troubled()) {
    if (from.startsWith('origin ')) return { from, fromTrouble }
  }
  return lastSource === undefined ? {} : { from: lastSource }
}

function conflictsOf(keeper: Keeper): FileFailure[] {
  return keeper.conflicts.map(({ view, file, otherSize }) => ({
    path: file.path,
    catalog: view.catalog,
    reason: 'SizeConflict',
    message: `the same sha256 has ${otherSize} bytes elsewhere, and ${file.size} here`,
    attempts: 0,
  }))
}

/** 100 only when every file is held. */
function percent(files: number, filesDesired: number, bytes: number, bytesDesired: number): number {
  if (files === filesDesired) return 100
  return bytesDesired === 0 ? 0 : Math.min(99, Math.floor((bytes / bytesDesired) * 100))
}

/** As long as the API lets a failure's words be. */
function clipped(failure: FileFailure): FileFailure {
  const { path, message, source } = failure
  return {
    ...failure,
    path: clip(path, 1024),
    message: clip(message, 512),
    ...(source !== undefined && { source: clip(source, 1024) }),
  }
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`
}
