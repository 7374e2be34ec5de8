import type { Steering } from './steering.ts'
import { MAX_URLS, type Scratch } from './types.ts'

/** What `decide` works with besides the answer. */
export interface WorkingMemory extends Scratch {
  /** The decision under way; undefined before the first. */
  steering: { -readonly [K in keyof Steering]: Steering[K] } | undefined
  /** Places of the site's appliances that will do, and how they are preferred: the lowest first. */
  candidates: Int32Array
  keys: Float64Array
  /** By site: the decision that looked at it last. */
  seen: Uint32Array
  decision: number
  /** By position in the answer: load of who is named. */
  readonly loads: Float64Array
  /** Places of appliances that would do but are too busy, and the tiers they were found in. */
  readonly busy: Int32Array
  readonly busyTiers: Uint8Array
  busyCount: number
  /** What was read ahead: of no other use. */
  touched: number
  /** Sites of which somebody is named. */
  sitesNamed: number
  /** Sites of the tier at hand that are still to be looked at, and how they are preferred. */
  sites: Int32Array
  siteKeys: Float64Array
  /** The tier whose sites are there already, and how many: -1 when none's are. */
  weighedTier: number
  weighed: number
  /** Which of them is preferred. */
  best: number
}

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
    weighedTier: -1,
    weighed: 0,
    best: 0,
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
