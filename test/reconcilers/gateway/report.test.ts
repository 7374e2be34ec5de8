import { describe, expect, test } from '@jest/globals'
import type { Appliance, ApplianceContent, InventoryRef } from '../../../crds/types.gen.ts'
import { afterInventory, isUrgent, planReport, type Report } from '../../../reconcilers/gateway/report.ts'
import { appliance } from '../fleet.ts'

const content: Report['content'] = {
  generation: 2,
  filesDesired: 10,
  bytesDesired: 1000,
  filesHeld: 4,
  bytesHeld: 400,
  filesFailing: 0,
  bytesToFill: 600,
  progressPercent: 40,
  storageUsedBytes: 400,
  storageCapacityBytes: 5000,
  failures: [],
}
const full = { ...content, filesHeld: 10, bytesHeld: 1000, bytesToFill: 0, progressPercent: 100 }
const report: Report = {
  bootId: 'boot-1',
  version: '0.1.0',
  startedAt: '2030-01-01T00:00:00Z',
  addresses: [{ type: 'HTTP', url: 'http://127.0.0.1:1' }],
  content,
}
const inventory = (name: string, digit: string): InventoryRef => ({
  catalog: { namespace: 'default', name },
  digest: `sha256:${digit.repeat(64)}`,
  catalogDigest: `sha256:${'c'.repeat(64)}`,
})
const { bootId, version, startedAt, addresses } = report
const told = (content: Report['content'], inventories: InventoryRef[] = []): NonNullable<Appliance['status']> => ({
  addresses,
  content: { ...content, inventories },
  agent: { startedAt, version, bootId },
})
const now = 1_000_000

function decide(
  status: Appliance['status'],
  said: { report?: Report; inventories?: InventoryRef[] },
  writtenAgoMs?: number,
  inventoriesUntilMs?: number,
) {
  const writtenAtMs = writtenAgoMs === undefined ? undefined : now - writtenAgoMs
  const object = appliance('a', 's', { ...(status && { status }) })
  const { report, inventories } = said
  return planReport({ appliance: object, report, inventories, writtenAtMs, inventoriesUntilMs }, now)
}
const filling = {
  ...report,
  content: { ...content, filesHeld: 5, bytesHeld: 500, bytesToFill: 500, progressPercent: 50 },
}

describe('planReport', () => {
  test.each([
    ['the first report is written at once', decide(undefined, { report }), 'write'],
    ['nothing was said: nothing is written, whatever the status says', decide(told(content), {}), 'none'],
    ['what is there already is not written again', decide(told(content), { report }), 'none'],
    [
      'words in another order are the same words',
      decide({ ...told(content), agent: { bootId, startedAt, version } }, { report }),
      'none',
    ],
    [
      'an empty waitingFor is none',
      decide(told(content), { report: { ...report, content: { ...content, waitingFor: '' } } }),
      'none',
    ],
    ['progress within 2 s waits', decide(told(content), { report: filling }, 500), 'later'],
    ['progress after 2 s is written', decide(told(content), { report: filling }, 2000), 'write'],
    ['after a start of the gateway nothing is waited for', decide(told(content), { report: filling }), 'write'],
    [
      'reaching the goal is written at once',
      decide(told(content), { report: { ...report, content: full } }, 1),
      'write',
    ],
    [
      'so is the first failing file',
      decide(told(content), { report: { ...report, content: { ...content, filesFailing: 1 } } }, 1),
      'write',
    ],
    [
      'the second failing file waits',
      decide(
        told({ ...content, filesFailing: 1 }),
        { report: { ...report, content: { ...content, filesFailing: 2 } } },
        1,
      ),
      'later',
    ],
    ['falling behind the goal waits', decide(told(full), { report }, 1), 'later'],
    [
      'a new inventory is written at once, whatever was written just before',
      decide(told(content), { inventories: [inventory('x', 'a')] }, 1),
      'write',
    ],
    ['so is one that is withdrawn', decide(told(content, [inventory('x', 'a')]), { inventories: [] }, 1), 'write'],
    [
      'so is a second',
      decide(told(content), { inventories: [inventory('x', 'a')] }, 1, afterInventory(undefined, now - 1)),
      'write',
    ],
    [
      'so are a third and a fourth, and the fifth waits its turn',
      decide(
        told(content),
        { inventories: [inventory('x', 'a')] },
        1,
        [4, 3, 2, 1].reduce<number | undefined>((until, ago) => afterInventory(until, now - ago), undefined),
      ),
      'later',
    ],
    [
      'an inventory before the first report is kept',
      decide(undefined, { inventories: [inventory('x', 'a')] }),
      'write',
    ],
    ['a restarted agent is news', decide(told(content), { report: { ...report, bootId: 'boot-2' } }, 5000), 'write'],
  ] as const)('%s', (_, decision, type) => expect(decision.type).toBe(type))

  test('waits exactly until 2 s after the last write', () => {
    expect(decide(told(content), { report: filling }, 500)).toEqual({ type: 'later', afterMs: 1500 })
  })

  test('writes what the report and the inventories say, sorted, for the appliance that was read', () => {
    const decision = decide(told(content), { report: filling, inventories: [inventory('y', 'b'), inventory('x', 'a')] })
    expect(decision).toEqual({
      type: 'write',
      isInventory: true,
      object: {
        apiVersion: 'fleet.weir.dev/v1alpha1',
        kind: 'Appliance',
        metadata: { name: 'a', namespace: 'default', uid: 'uid-a' },
        status: {
          addresses,
          content: { ...filling.content, inventories: [inventory('x', 'a'), inventory('y', 'b')] },
          agent: { version, bootId, startedAt },
        },
      },
    })
  })

  test('a report alone keeps the inventories of before, inventories alone keep the report of before', () => {
    const before = told(content, [inventory('x', 'a')])
    const first = decide(before, { report: filling })
    expect(first).toMatchObject({ object: { status: { content: { inventories: [inventory('x', 'a')] } } } })
    const second = decide(before, { inventories: [] })
    expect(second).toMatchObject({
      object: { status: { addresses, agent: { bootId }, content: { ...content, inventories: [] } } },
    })
  })
})

describe('isUrgent', () => {
  const with_ = (c: Report['content']): ApplianceContent => ({ ...c, inventories: [] })
  test.each([
    ['at the goal of another generation', with_(full), with_({ ...full, generation: 3 }), true],
    ['still at the same goal', with_(full), with_({ ...full, storageUsedBytes: 1 }), false],
    ['an empty goal, reached at first word', undefined, with_({ ...full, filesDesired: 0, filesHeld: 0 }), true],
    ['all files but one', with_(content), with_({ ...full, filesHeld: 9, bytesToFill: 1 }), false],
  ])('%s', (_, before, after, expected) => expect(isUrgent(before, after)).toBe(expected))
})
