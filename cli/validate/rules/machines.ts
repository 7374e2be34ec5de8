import type { KubeObject } from '../../../crds/metadata.ts'
import type { Appliance } from '../../../crds/types.gen.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

/** One machine that is two appliances, most often because a manifest was copied. */
export const serialNumberTwice: Rule = {
  id: 'serial-number-twice',
  severity: 'warning',
  about: 'Two Appliances have the same serial number.',
  *check(set: FleetSet): Generator<Finding> {
    const first = new Map<string, Member<Appliance>>()
    for (const appliance of set.of<Appliance>('Appliance').all) {
      const serial = appliance.object.spec.serialNumber
      if (serial === undefined) continue
      const other = first.get(serial)
      if (!other) {
        first.set(serial, appliance)
        continue
      }
      const place = other.manifest.placeOf(['spec', 'serialNumber'], 'value')
      yield {
        manifest: appliance.manifest,
        path: ['spec', 'serialNumber'],
        message: `Appliance "${other.name}" has this serial number too`,
        related: { message: 'the other appliance is here', place },
      }
    }
  },
}

/** Objects that controllers keep: what somebody applies to them is fought over, or lost. */
export const writtenByControllers: Rule = {
  id: 'written-by-controllers',
  severity: 'warning',
  about: 'An object is of a kind that only controllers write: Assignment, PlacementPlan.',
  *check(set: FleetSet): Generator<Finding> {
    for (const kind of ['Assignment', 'PlacementPlan'] as const) {
      for (const { manifest } of set.of<KubeObject>(kind).all) {
        yield { manifest, path: ['kind'], message: `objects of kind ${kind} are written by controllers, not by people` }
      }
    }
  },
}
