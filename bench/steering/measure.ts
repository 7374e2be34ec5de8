import type { Report } from '../benchmark.ts'
import { measureDay, measureFailure } from './day.ts'
import { measureDecision } from './decision.ts'

/** The decision of steering: what it costs, how evenly it spreads, what a failure does. Memory is measured first, before anything else has used any. */
export async function measureSteeringDecision(report: Report): Promise<void> {
  await measureDecision(report)
  measureDay(report)
  measureFailure(report)
}
