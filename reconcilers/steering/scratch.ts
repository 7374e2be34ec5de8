import type { WorkingMemory } from './steering.ts'
import { MAX_URLS, type Scratch } from './types.ts'

/** Working memory for decisions of one thread. */
export function newScratch(): Scratch {
  const memory: WorkingMemory = {
    answer: {
      count: 0,
      appliances: new Int32Array(MAX_URLS),
      tiers: new Uint8Array(MAX_URLS),
      scores: new Float64Array(MAX_URLS),
      policy: 0,
      ttlSeconds: 0,
      miss: 'none',
      considered: [],
    },
    steering: undefined,
    candidates: new Int32Array(64),
    keys: new Float64Array(64),
    seen: new Uint32Array(0),
    decision: 0,
    loads: new Float64Array(MAX_URLS),
    busy: new Int32Array(MAX_URLS),
    busyTiers: new Uint8Array(MAX_URLS),
    busyCount: 0,
    touched: 0,
    sitesNamed: 0,
    sites: new Int32Array(64),
    siteKeys: new Float64Array(64),
    atSite: 'unknown',
  }
  return memory
}

/** Makes ready for the next decision over so many sites. */
export function beginDecision(memory: WorkingMemory, sites: number): void {
  if (memory.seen.length < sites || memory.decision === 0xffffffff) {
    memory.seen = new Uint32Array(Math.max(sites, memory.seen.length))
    memory.decision = 0
  }
  memory.decision++
  memory.busyCount = 0
  memory.sitesNamed = 0
  memory.atSite = 'unknown'
}

/** Makes room for so many candidates of one site. */
export function roomForCandidates(memory: WorkingMemory, count: number): void {
  if (memory.candidates.length >= count) return
  memory.candidates = new Int32Array(count * 2)
  memory.keys = new Float64Array(count * 2)
}

/** Makes room for so many sites of one tier. */
export function roomForSites(memory: WorkingMemory, count: number): void {
  if (memory.sites.length >= count) return
  memory.sites = new Int32Array(count * 2)
  memory.siteKeys = new Float64Array(count * 2)
}
