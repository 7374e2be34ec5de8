import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, ApplianceAddress, ApplianceContent, InventoryRef } from '../../crds/types.gen.ts'
import { compare } from '../blobs/plan-index.ts'
import { identify } from '../identity.ts'

/** An Appliance's status is written at most so often, unless `isUrgent`. */
export const REPORT_INTERVAL_MS = 2000

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
}

export type ReportDecision =
  | { readonly type: 'none' }
  /** Apply this to the status subresource. */
  | { readonly type: 'write'; readonly object: KubeObject }
  | { readonly type: 'later'; readonly afterMs: number }

type Reported = Pick<NonNullable<Appliance['status']>, 'addresses' | 'content' | 'agent'>

/** Decides whether what an agent reports must be written to its Appliance now, later or not at all. Pure. */
export function planReport(input: ReportInput, nowMs: number): ReportDecision {
  const { appliance, writtenAtMs } = input
  const before = appliance.status ?? {}
  const wanted = wantedStatus(input)
  if (!wanted || sameStatus(before, wanted)) return { type: 'none' }
  const dueMs = writtenAtMs === undefined ? 0 : writtenAtMs + REPORT_INTERVAL_MS - nowMs
  if (dueMs > 0 && !isUrgent(before.content, wanted.content)) return { type: 'later', afterMs: dueMs }
  return { type: 'write', object: { ...identify(appliance), ...{ status: wanted } } }
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
