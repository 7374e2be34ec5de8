import type { ApplianceContent } from '../../crds/types.gen.ts'
import type { FillCounters } from '../content/filler.ts'
import type { ScrubCounters } from '../content/scrubber.ts'
import type { ContentStore } from '../content/store.ts'
import { type Sample, writeMetrics } from './metrics.ts'
import type { ServeCounters } from './server.ts'

/** What has happened since the agent started. */
export interface AgentCounters {
  readonly fill: FillCounters
  readonly scrub: ScrubCounters
  readonly serve: ServeCounters
  rotted: number
  evicted: number
  evictedBytes: number
}

/** The agent's metrics as a page. */
export function agentMetrics(
  { fill, scrub, serve, rotted, evicted, evictedBytes }: AgentCounters,
  demandBatchesLost: number,
  content: Omit<ApplianceContent, 'inventories'>,
  store: ContentStore,
): string {
  const one = (name: string, type: Sample['type'], help: string, value: number): Sample => ({
    name: `weir_agent_${name}`,
    help,
    type,
    values: [[{}, value]],
  })
  const by = (name: string, label: string, help: string, entries: Iterable<[string | number, number]>): Sample => ({
    name: `weir_agent_${name}`,
    help,
    type: 'counter',
    values: [...entries].map(([key, value]) => [{ [label]: String(key) }, value] as const),
  })
  return writeMetrics([
    one('files_desired', 'gauge', 'Files it should hold.', content.filesDesired),
    one('files_held', 'gauge', 'Files of those that it holds, verified.', content.filesHeld),
    one(
      'files_failing',
      'gauge',
      'Files that could not be filled or verified at the last attempt.',
      content.filesFailing,
    ),
    one('bytes_desired', 'gauge', 'Bytes it should hold.', content.bytesDesired),
    one('bytes_held', 'gauge', 'Bytes of those that it holds, verified.', content.bytesHeld),
    one('bytes_to_fill', 'gauge', 'Bytes still to be fetched.', content.bytesToFill),
    one('storage_used_bytes', 'gauge', 'Bytes that content takes.', store.usedBytes),
    one('storage_capacity_bytes', 'gauge', 'Bytes that content may take.', content.storageCapacityBytes),
    one('filled_files_total', 'counter', 'Files filled and verified.', fill.filled),
    by(
      'filled_bytes_total',
      'source',
      'Bytes of files filled and verified, by where they came from.',
      Object.entries(fill.filledBytes),
    ),
    by('fill_failures_total', 'reason', 'Failures to fetch a file, by reason.', fill.failures),
    by('http_requests_total', 'code', 'Requests answered, by status code.', serve.requests),
    by('sent_bytes_total', 'to', 'Bytes of files sent, by whom they went to.', Object.entries(serve.sentBytes)),
    one('scrubbed_bytes_total', 'counter', 'Bytes of held files read again.', scrub.scrubbedBytes),
    one('scrub_passes_total', 'counter', 'Times that all held files were read again.', scrub.passes),
    one('rotted_files_total', 'counter', 'Held files found to be wrong.', rotted),
    one('evicted_files_total', 'counter', 'Files evicted.', evicted),
    one('evicted_bytes_total', 'counter', 'Bytes evicted.', evictedBytes),
    one(
      'demand_batches_lost_total',
      'counter',
      'Batches of what clients asked for, given up as the gateway was away too long.',
      demandBatchesLost,
    ),
  ])
}
