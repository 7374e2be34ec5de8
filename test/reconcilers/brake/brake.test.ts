import { describe, expect, test } from '@jest/globals'
import type { Appliance } from '../../../crds/types.gen.ts'
import { darkness, fleetBrake } from '../../../reconcilers/brake/brake.ts'
import { appliance } from '../fleet.ts'

describe('the brake', () => {
  const cases: [reason: string, known: number, dark: number, engaged: boolean][] = [
    ['an empty fleet', 0, 0, false],
    ['all online', 100, 0, false],
    ['some dark boxes are every day', 100, 30, false],
    ['more than the share', 100, 31, true],
    ['all of them: the gateway is gone, say', 100, 100, true],
    ['two of three is a large share, but two machines do die', 3, 2, false],
    ['three of three', 3, 3, true],
  ]
  test.each(cases)('%s', (_reason, known, dark, engaged) => {
    expect(fleetBrake({ known, dark }).engaged).toBe(engaged)
  })

  test('its share and its floor can be set', () => {
    expect(fleetBrake({ known: 100, dark: 10 }, { maxDarkShare: 0.05, minDark: 1 })).toEqual({
      engaged: true,
      message: expect.stringMatching(/^10 of 100 appliances are not online, more than 5 %/),
    })
  })
})

describe('how an appliance counts', () => {
  const agent = { version: '1', bootId: 'b', startedAt: '2030-01-01T00:00:00Z' }
  const online = (status: 'True' | 'False' | 'Unknown'): Appliance['status'] => ({
    agent,
    conditions: [{ type: 'Online', status, reason: 'x', message: '', lastTransitionTime: '2030-01-01T00:00:00Z' }],
  })
  const cases: [reason: string, more: Parameters<typeof appliance>[2], counts: ReturnType<typeof darkness>][] = [
    ['online', { status: online('True') }, 'light'],
    ['silent', { status: online('False') }, 'dark'],
    ['nobody knows', { status: online('Unknown') }, 'dark'],
    ['never connected', {}, 'uncounted'],
    ['taken out of service', { spec: { mode: 'OutOfService' }, status: online('False') }, 'uncounted'],
    ['decommissioned', { spec: { mode: 'Decommissioned' }, status: online('False') }, 'uncounted'],
    ['drained, but meant to be on', { spec: { mode: 'Draining' }, status: online('False') }, 'dark'],
  ]
  test.each(cases)('%s', (_reason, more, counts) => {
    expect(darkness(appliance('a', 's', more))).toBe(counts)
  })
})
