import { parentPort, workerData } from 'node:worker_threads'
import type { FromProber, ProberSettings, ToProber } from './probe-messages.ts'
import { ProbeRound, TICK_MS } from './probe-round.ts'

// A share of the probes, on a thread of its own: answers to players do not wait for them.

/** Verdicts are told at once; loads, of which nothing depends on one tick, a few times a second. */
const LOADS_EVERY_TICKS = 10

const say = (message: FromProber, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer)
let verdicts: { id: number; up: boolean; reason: string }[] = []
let loads: number[] = []
const round = new ProbeRound({
  ...(workerData as ProberSettings),
  monotonicMs: () => performance.now(),
  random: Math.random,
  onVerdict: (id, up, reason) => verdicts.push({ id, up, reason }),
  onLoad: (id, { requests, bytesPerSecond }) => loads.push(id, requests, bytesPerSecond),
})

parentPort?.on('message', (message: ToProber) => {
  if (message.type === 'set') round.set(message.id, message.address)
  else if (message.type === 'remove') round.remove(message.id)
  else round.askNow(message.id)
})

let ticks = 0
function tick(): void {
  round.tick()
  if (verdicts.length > 0) {
    say({ type: 'verdicts', verdicts })
    verdicts = []
  }
  if (++ticks % LOADS_EVERY_TICKS !== 0) return
  const told = Float64Array.from(loads)
  loads = []
  say({ type: 'loads', loads: told, probes: round.probes, unable: round.unable }, [told.buffer as ArrayBuffer])
}

// What has arrived is read first: when this thread itself was late, answers that are there already are not missed.
setInterval(() => setImmediate(tick), TICK_MS)
