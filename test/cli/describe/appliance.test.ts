import { describe, expect, test } from '@jest/globals'
import { describeAppliance, waitingFor } from '../../../cli/describe/appliance.ts'
import { Screen } from '../../../cli/describe/screen.ts'
import type { Appliance, Assignment, HardwareClass, Site } from '../../../crds/types.gen.ts'

// A Wednesday, at half past two in the afternoon in Berlin.
const NOW = Date.parse('2026-01-14T13:30:00Z')

const site = { metadata: { name: 'fra1' }, spec: { tier: 'edge', metro: 'Frankfurt', country: 'DE' } } as Site
const hardwareClass = {
  metadata: { name: 'flash' },
  spec: { storageMedium: 'flash', storageBytes: 2 ** 40, throughputGbps: 100 },
} as HardwareClass

const assignment = (windows: { start: string; end: string }[], serve = true) =>
  ({
    spec: {
      content: { generation: 7, entries: [], drainSeconds: 60, serve, fill: { windows, timeZone: 'Europe/Berlin' } },
    },
  }) as unknown as Assignment

const appliance = (more: object = {}, content: object = {}) =>
  ({
    metadata: { name: 'fra1-a', namespace: 'default', generation: 3 },
    spec: { siteRef: { name: 'fra1' }, hardwareClassRef: { name: 'flash' }, mode: 'InService' },
    status: {
      observedGeneration: 3,
      phase: 'Filling',
      conditions: [],
      content: {
        generation: 7,
        ...{ filesDesired: 10, bytesDesired: 2 ** 30, filesHeld: 9, bytesHeld: 2 ** 29, bytesToFill: 2 ** 29 },
        ...{
          progressPercent: 50,
          filesFailing: 0,
          storageUsedBytes: 2 ** 29,
          storageCapacityBytes: 2 ** 40,
          failures: [],
        },
        ...content,
      },
      ...more,
    },
  }) as unknown as Appliance

function screen(of: Appliance, given: Assignment | undefined = assignment([])): string {
  const shown = new Screen(NOW)
  describeAppliance(shown, of, { site, hardwareClass, assignment: given })
  return shown.toString()
}

describe('why has it not converged?', () => {
  test.each<[string, Appliance, Assignment | undefined, string[]]>([
    ['it has', appliance(), assignment([]), []],
    [
      'its controller is behind',
      appliance({ observedGeneration: 2 }),
      assignment([]),
      ['the appliance controller, which has not seen the latest change'],
    ],
    [
      'its agent is behind',
      appliance({}, { generation: 6 }),
      assignment([]),
      ['content generation 7; it has reached 6'],
    ],
    [
      'it is silent',
      appliance({
        conditions: [{ type: 'Online', status: 'False', reason: 'HeartbeatLost', message: 'No heartbeat for 30 s' }],
      }),
      assignment([]),
      ['its agent: No heartbeat for 30 s'],
    ],
    [
      'its window is closed',
      appliance({ waitingFor: ['the fill window'] }, { waitingFor: 'the fill window' }),
      assignment([]),
      ['the fill window'],
    ],
  ])('%s', (_why, of, given, expected) => {
    expect(waitingFor(of, { site, hardwareClass, assignment: given })).toEqual(expected)
  })

  test.each<[string, { start: string; end: string }[], RegExp]>([
    ['a window that is open', [{ start: '14:00', end: '16:00' }], /Window: +open, changes in 90m\n/],
    ['a window that is closed', [{ start: '22:00', end: '06:00' }], /Window: +closed, opens in 7h30m\n/],
    ['no window', [], /Fills: +at any time\n/],
  ])('%s', (_why, windows, expected) => {
    expect(screen(appliance(), assignment(windows))).toMatch(expected)
  })

  test('a file that fails: from where it was tried, and what came of it', () => {
    const failure = {
      path: 'a.mp4',
      catalog: 'default/films',
      reason: 'HTTP404',
      attempts: 3,
      source: 'http://origin.example/a.mp4',
      message: 'the origin answered 404',
    }
    expect(screen(appliance({}, { filesFailing: 1, failures: [failure] }))).toMatch(
      /a\.mp4 +default\/films +HTTP404 +3 +http:\/\/origin\.example\/a\.mp4 +the origin answered 404\n/,
    )
  })

  test('one that is out of service says that nothing is filled', () => {
    const given = assignment([{ start: '14:00', end: '16:00' }])
    const { content } = given.spec
    const paused = { ...given, spec: { content: { ...content!, fill: { ...content!.fill, paused: true } } } }
    const said = screen(appliance(), paused)
    expect(said).toMatch(/Fills: +nothing, and evicts nothing: it is out of service\n/)
    expect(said).not.toMatch(/Window:/)
  })

  test('one that is drained says that nobody is sent there', () => {
    expect(screen(appliance(), assignment([], false))).toMatch(/Serves: +nobody new: clients are sent elsewhere\n/)
  })
})
