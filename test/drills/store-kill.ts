import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openStore } from '../../apiserver/storage/open.ts'
import type { Store } from '../../apiserver/storage/store.ts'
import { configMapKey, textOf } from '../apiserver/storage/fixtures.ts'

// Kills a writing process again and again with SIGKILL; what it has acknowledged must be there afterwards.
//   node test/drills/store-kill.ts [ROUNDS]

export interface DrillResult {
  readonly acknowledged: number
  /** What is missing or wrong; empty where all is well. */
  readonly losses: readonly string[]
}

/** What the writers have been told, over all rounds. */
interface Acknowledged {
  /** By name: the last acknowledged revision, and whether that was a deletion. */
  readonly names: Map<string, { revision: number; deleted: boolean }>
  /** By name: the revision of the last deletion that was begun. */
  readonly deleting: Map<string, number>
  pairRevision: number
  revision: number
  count: number
}

export async function drillKill(rounds: number): Promise<DrillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-kill-'))
  const told: Acknowledged = { names: new Map(), deleting: new Map(), pairRevision: 0, revision: 0, count: 0 }
  const losses: string[] = []
  try {
    for (let round = 0; round < rounds && losses.length === 0; round++) {
      // Some die while they write, some while they still read back what is there.
      const lines = 1 + Math.floor(Math.random() ** 3 * 5000)
      await runUntilKilled(folder, lines, told)
      const store = await openStore(folder)
      losses.push(...check(store, told).map((loss) => `round ${round}, at revision ${store.revision}: ${loss}`))
      await store.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { acknowledged: told.count, losses }
}

async function runUntilKilled(folder: string, lines: number, told: Acknowledged): Promise<void> {
  const script = fileURLToPath(new URL('support/store-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<NodeJS.Signals | null>((resolve) => writer.once('exit', (_, signal) => resolve(signal)))
  let seen = 0
  for await (const line of createInterface({ input: writer.stdout })) {
    note(line, told)
    if (++seen === lines) writer.kill('SIGKILL')
  }
  if ((await exited) !== 'SIGKILL') throw new Error('the writer ended by itself')
}

function note(line: string, told: Acknowledged): void {
  const [what, ...args] = line.split(' ')
  const revision = Number(args.at(-1))
  if (!Number.isSafeInteger(revision)) return
  if (what === 'ready') {
    if (revision < told.revision) throw new Error(`went back from revision ${told.revision} to ${revision}`)
    return
  }
  if (what === 'deleting') {
    told.deleting.set(args[0]!, revision)
    return
  }
  told.count++
  told.revision = Math.max(told.revision, revision)
  if (what === 'pair') told.pairRevision = Math.max(told.pairRevision, revision)
  else told.names.set(args[0]!, { revision, deleted: what === 'delete' })
}

/** What is stored may be newer than what was acknowledged, never older, and must be whole. */
function check(store: Store, told: Acknowledged): string[] {
  const losses: string[] = []
  if (store.revision < told.revision) losses.push(`revision ${store.revision} after ${told.revision} was acknowledged`)
  for (const [name, { revision, deleted }] of told.names) {
    const stored = store.get(configMapKey(name))
    if (!stored) {
      // A deletion that was begun later may have been stored without being acknowledged any more.
      const mayBeGone = deleted || (told.deleting.get(name) ?? 0) > revision
      if (!mayBeGone) losses.push(`${name} is gone, written at ${revision}`)
    } else if (stored.modRevision < revision || (deleted && stored.createRevision <= revision)) {
      losses.push(`${name} is at ${stored.modRevision} after ${revision} was acknowledged`)
    } else if (
      !textOf(stored)?.startsWith(`${name} `) ||
      stored.value.metadata.resourceVersion !== `${stored.modRevision}`
    ) {
      losses.push(`${name} is not whole`)
    }
  }
  const [left, right] = [store.get(configMapKey('left')), store.get(configMapKey('right'))]
  if (textOf(left) !== textOf(right)) losses.push('half of a transaction is there')
  if ((right?.modRevision ?? 0) < told.pairRevision) losses.push(`the pair of ${told.pairRevision} is gone`)
  return losses
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const rounds = Number(process.argv[2] ?? 200)
  const { acknowledged, losses } = await drillKill(rounds)
  for (const loss of losses) console.error(loss)
  console.log(`${rounds} kills, ${acknowledged} acknowledged transactions, ${losses.length} losses`)
  process.exitCode = losses.length > 0 ? 1 : 0
}
