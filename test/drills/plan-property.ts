import { type Outcome, tryPlan } from '../cli/plan/support/executed.ts'
import { startLiveFleet } from '../cli/plan/support/live-fleet.ts'

/**
 * Plans hundreds of random changes of random small fleets, makes them, and compares what was planned with what was done.
 * `plan-property.ts [FIRST_SEED [COUNT]]`; says which seed fails, so that it can be run alone: `plan-property.ts SEED 1`.
 */
const first = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 60)
const LANES = 4
/** What was tried stays on its control plane, and would slow the rest down. */
const SEEDS_PER_PLANE = 16

const started = performance.now()
const outcomes: Outcome[] = []
const failures: string[] = []
for (let seed = first; seed < first + count; seed += SEEDS_PER_PLANE)
  await tryAll(seed, Math.min(seed + SEEDS_PER_PLANE, first + count))

async function tryAll(from: number, to: number): Promise<void> {
  await using live = await startLiveFleet()
  let next = from
  const lane = async () => {
    while (next < to) {
      const seed = next++
      try {
        const outcome = await tryPlan(live, seed)
        outcomes.push(outcome)
        for (const wrong of outcome.wrongs) failures.push(`seed ${seed}: ${wrong}`)
      } catch (error) {
        failures.push(`seed ${seed}: ${(error as Error).stack}`)
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  console.error(
    `${outcomes.length} of ${count}, ${failures.length} failures, ${Math.round((performance.now() - started) / 1000)} s`,
  )
}
const sum = (field: 'moved' | 'churned' | 'off', of: readonly Outcome[]) =>
  of.reduce((total, each) => total + each[field], 0)
const [certain, guessed] = [true, false].map((wanted) => outcomes.filter(({ isExact }) => isExact === wanted)) as [
  Outcome[],
  Outcome[],
]
const idle = certain.filter(({ moved }) => moved === 0).length
console.log(
  `${count} changes planned and executed in ${((performance.now() - started) / 1000).toFixed(0)} s\n` +
    `${certain.length} with exact figures (${idle} of which move nothing): ${sum('moved', certain)} bytes moved\n` +
    `${guessed.length} with estimates, as controllers may plan on states in between: ${sum('moved', guessed)} bytes moved, estimates off by ` +
    `${sum('off', guessed)} bytes over all appliances, ${sum('churned', guessed)} bytes fetched on the way`,
)
for (const failure of failures) console.log(failure)
if (failures.length > 0) process.exitCode = 1
