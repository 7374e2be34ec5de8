import { writeSync } from 'node:fs'
import { openStore } from '../../../apiserver/storage/open.ts'
import type { Transaction } from '../../../apiserver/storage/store.ts'
import { configMap, configMapKey } from '../../apiserver/storage/fixtures.ts'

// The victim of the kill drill (store-kill.ts): writes as fast as it can, and says what has been acknowledged.
//   node test/drills/support/store-writer.ts FOLDER
// Prints `ready REVISION`, then per acknowledged transaction `put NAME REVISION` | `delete NAME REVISION` | `pair REVISION REVISION`;
// `deleting NAME REVISION` before a deletion is under way.

const [, , folder = ''] = process.argv
const writers = 16
const names = 40

/** Says a line before anything else happens: process.stdout would keep lines back while its reader is slow, and lose them to the kill. */
function say(line: string): void {
  let rest = Buffer.from(`${line}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

const store = await openStore(folder)
say(`ready ${store.revision}`)

/** What is acknowledged, as a line; undefined where nothing had to be written. */
function work(tx: Transaction): string | undefined {
  const dice = Math.random()
  const name = `n${Math.floor(Math.random() * names)}`
  if (dice < 0.2) {
    const text = `pair ${Math.random()}`
    const [left, right] = ['left', 'right'].map((side) => tx.put(configMapKey(side), configMap(side, text)))
    return `pair ${left?.modRevision} ${right?.modRevision}`
  }
  if (dice < 0.4) {
    const deleted = tx.delete(configMapKey(name))
    if (!deleted) return undefined
    say(`deleting ${name} ${deleted.modRevision}`)
    return `delete ${name} ${deleted.modRevision}`
  }
  // Small and large: within one page of the database, and over several.
  const text = `${name} ${'x'.repeat(Math.floor(Math.random() ** 4 * 20_000))}`
  return `put ${name} ${tx.put(configMapKey(name), configMap(name, text)).modRevision}`
}

async function write(): Promise<never> {
  for (;;) {
    const acknowledged = await store.transact(work)
    if (acknowledged) say(acknowledged)
  }
}
await Promise.all(Array.from({ length: writers }, write))
