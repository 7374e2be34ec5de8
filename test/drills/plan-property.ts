import { type Outcome, tryPlan } from '../cli/plan/support/executed.ts'
import { startLiveFleet } from '../cli/plan/support/live-fleet.ts'

/**
 * Plans hundreds of random changes of random small fleets, makes them, and compares what was planned with what was done.
 * `plan-property.ts [FIRST_SEED [COUNT]]`; says which seed fails, so that it can be run alone: `plan-property.ts SEED 1`.
 */
const first = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 200)
const LANES = 6

const started = performance.now()
const live = await startLiveFleet()
const outcomes: Outcome[] = []
const failures: string[] = []
let next = first
await Promise.all(
  Array.from({ length: Math.min(LANES, count) }, async () => {
    while (next < first + count) {
      const seed = next++
      try {
        const outcome = await tryPlan(live, seed)
        outcomes.push(outcome)
        for (const wrong of outcome.wrongs) failures.push(`seed ${seed}: ${wrong}`)
      } catch (error) {
        failures.push(`seed ${seed}: ${(error as Error).stack}`)
      }
    }
  }),
)
await live[Symbol.asyncDispose]()
const sum = (field: 'moved' | 'churned') => outcomes.reduce((total, outcome) => total + outcome[field], 0)
const idle = outcomes.filter(({ moved }) => moved === 0).length
console.log(
  `${count} changes planned and executed in ${((performance.now() - started) / 1000).toFixed(1)} s: ${sum('moved')} bytes moved as planned, ` +
    `${sum('churned')} bytes fetched on the way through states in between, ${idle} changes that move nothing`,
)
for (const failure of failures) console.log(failure)
if (failures.length > 0) process.exitCode = 1
