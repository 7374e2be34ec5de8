import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, ApplianceAddress, ApplianceContent, InventoryRef } from '../../crds/types.gen.ts'
import { compare } from '../blobs/plan-index.ts'
import { identify } from '../identity.ts'

/** An Appliance's status is written at most so often, unless `isUrgent` or for an inventory that has not had its turn. */
export const REPORT_INTERVAL_MS = 2000
/** Inventories that are written at once, where there have been none for a while: as a short fill goes on, and the one that has all of it. */
const INVENTORIES_AT_ONCE = 4

/** What an agent says of itself: the body of `PUT …/status`. */
export interface Report {
  readonly bootId: string
  readonly version: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly addresses: readonly ApplianceAddress[]
  readonly content: Omit<ApplianceContent, 'inventories'>
}

export interface ReportInput {
  readonly appliance: Appliance
  /** Undefined until the agent has reported to this gateway: what the status says stays. */
  readonly report: Report | undefined
  /** What it advertises; undefined where this gateway has not been told: what the status says stays. */
  readonly inventories: readonly InventoryRef[] | undefined
  /** When this gateway last wrote the status, monotonic ms. */
  readonly writtenAtMs: number | undefined
  /** When the inventories written so far have used up their turns, by `afterInventory`, monotonic ms. */
  readonly inventoriesUntilMs?: number | undefined
}

export type ReportDecision =
  | { readonly type: 'none' }
  /** Apply this to the status subresource. */
  | { readonly type: 'write'; readonly object: KubeObject; readonly isInventory: boolean }
  | { readonly type: 'later'; readonly afterMs: number }

type Reported = Pick<NonNullable<Appliance['status']>, 'addresses' | 'content' | 'agent'>

/** Decides whether what an agent reports must be written to its Appliance now, later or not at all. Pure. */
export function planReport(input: ReportInput, nowMs: number): ReportDecision {
  const { appliance, writtenAtMs } = input
  const before = appliance.status ?? {}
  const wanted = wantedStatus(input)
  if (!wanted || sameStatus(before, wanted)) return { type: 'none' }
  const isInventory = canonical(before.content?.inventories ?? []) !== canonical(wanted.content?.inventories ?? [])
  const turnMs = (input.inventoriesUntilMs ?? nowMs) - (INVENTORIES_AT_ONCE - 1) * REPORT_INTERVAL_MS - nowMs
  const dueMs = Math.min(
    writtenAtMs === undefined ? 0 : writtenAtMs + REPORT_INTERVAL_MS - nowMs,
    isInventory ? turnMs : Number.POSITIVE_INFINITY,
  )
  if (dueMs > 0 && !isUrgent(before.content, wanted.content)) return { type: 'later', afterMs: dueMs }
  return { type: 'write', object: { ...identify(appliance), ...{ status: wanted } }, isInventory }
}

/** `inventoriesUntilMs` once an inventory has been written: clients wait for what it tells, so each has turns of its own, of which a few may come together. */
export function afterInventory(untilMs: number | undefined, nowMs: number): number {
  return Math.max(untilMs ?? nowMs, nowMs) + REPORT_INTERVAL_MS
}

function wantedStatus({ appliance, report, inventories }: ReportInput): Reported | undefined {
  const { addresses, content, agent } = appliance.status ?? {}
  if (!report && !inventories) return undefined
  const said = report?.content ?? content ?? nothingReported
  const { waitingFor, ...rest } = said
  return {
    ...(report ? { addresses: report.addresses } : addresses && { addresses }),
    content: {
      ...rest,
      ...(waitingFor ? { waitingFor } : {}),
      failures: said.failures ?? [],
      inventories: [...(inventories ?? content?.inventories ?? [])].sort(compareInventories),
    },
    ...(report
      ? { agent: { version: report.version, bootId: report.bootId, startedAt: report.startedAt } }
      : agent && { agent }),
  }
}

/** An inventory may come before the first report: the schema wants the numbers that it does not bring. */
const nothingReported: Omit<ApplianceContent, 'inventories'> = {
  generation: 0,
  filesDesired: 0,
  bytesDesired: 0,
  filesHeld: 0,
  bytesHeld: 0,
  filesFailing: 0,
  bytesToFill: 0,
  progressPercent: 0,
  storageUsedBytes: 0,
  storageCapacityBytes: 0,
  failures: [],
}

/** What somebody may be waiting for, or should look at, is told at once: it has got there, or the first file fails. */
export function isUrgent(before: ApplianceContent | undefined, after: ApplianceContent | undefined): boolean {
  if (!after) return false
  const arrived = isAtGoal(after) && (!before || !isAtGoal(before) || before.generation !== after.generation)
  return arrived || (after.filesFailing > 0 && (before?.filesFailing ?? 0) === 0)
}

/** Whether it says that it holds everything that it should. */
export const isAtGoal = ({
  filesHeld,
  filesDesired,
  bytesToFill,
}: Pick<ApplianceContent, 'filesHeld' | 'filesDesired' | 'bytesToFill'>) =>
  bytesToFill === 0 && filesHeld >= filesDesired

function sameStatus(before: Reported, wanted: Reported): boolean {
  const part = ({ addresses, content, agent }: Reported) => canonical({ addresses: addresses ?? [], content, agent })
  return part(before) === part(wanted)
}

/** JSON with sorted keys, so that equal data is equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => compare(a, b)))
      : part,
  )
}

export function compareInventories(a: InventoryRef, b: InventoryRef): number {
  return compare(a.catalog.namespace, b.catalog.namespace) || compare(a.catalog.name, b.catalog.name)
}
