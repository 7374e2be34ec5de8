import { describe, expect, test } from '@jest/globals'
import type { Appliance, Assignment, PlacementPlan } from '../../../crds/types.gen.ts'
import {
  APPLIANCE_FINALIZER,
  type AssignmentInput,
  needsUnion,
  planAssignment,
} from '../../../reconcilers/assignment/plan-assignment.ts'
import { catalogOf } from '../../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { appliance, CONTENT, catalog, digest, site, written } from '../fleet.ts'

const sha = (char: string) => `sha256:${char.repeat(64)}`
const planOf = (name: string, catalogDigest = sha('c')) =>
  ({
    apiVersion: CONTENT,
    kind: 'PlacementPlan',
    metadata: { name, namespace: 'default' },
    spec: { catalog: { name: 'films', digest: catalogDigest } },
  }) as PlacementPlan
const films = catalog('films', { status: { digest: sha('c'), files: 4 } })
const row = (manifest: string, files = 2) => ({ namespace: 'default', name: 'a1', manifest, files, bytes: files * 10 })

const input = (more: Partial<AssignmentInput> = {}): AssignmentInput => ({
  appliance: appliance('a1', 'fra1'),
  site: site('fra1', { timeZone: 'Europe/Berlin', fillWindows: [{ start: '01:00', end: '05:00', maxGbps: 6 }] }),
  siteAppliances: 3,
  assignment: undefined,
  shares: [{ plan: planOf('p1'), catalog: films, row: row(sha('1')) }],
  drainSeconds: 30,
  brake: { engaged: false },
  digest,
  ...more,
})

const contentOf = (plan: ReturnType<typeof planAssignment>) =>
  written<Assignment>(plan, 'apply', 'Assignment')[0]?.spec.content

test('what the plan in force asks becomes the first generation, owned by the appliance and kept by a finalizer', () => {
  const plan = planAssignment(input())
  expect(contentOf(plan)).toEqual({
    generation: 1,
    entries: [
      {
        catalog: { namespace: 'default', name: 'films' },
        catalogDigest: sha('c'),
        catalogFiles: 4,
        originUrl: 'http://origin.example/films/',
        manifestDigest: sha('1'),
        files: 2,
        bytes: 20,
        plans: ['default/p1'],
      },
    ],
    fill: { timeZone: 'Europe/Berlin', windows: [{ start: '01:00', end: '05:00', maxGbps: 2 }] },
    drainSeconds: 30,
    serve: true,
  })
  expect(written<Appliance>(plan, 'apply', 'Appliance')[0]?.metadata.finalizers).toEqual([APPLIANCE_FINALIZER])
  expect(written<Assignment>(plan, 'apply', 'Assignment')[0]?.metadata.ownerReferences?.[0]?.uid).toBe('uid-a1')
})

test('the generation goes up only when the content changes', () => {
  const assignment = written<Assignment>(planAssignment(input()), 'apply', 'Assignment')[0]!
  expect(contentOf(planAssignment(input({ assignment })))?.generation).toBe(1)
  expect(contentOf(planAssignment(input({ assignment, drainSeconds: 60 })))?.generation).toBe(2)
})

test('plans over the same catalog are united over its published version, without what that version no longer has', () => {
  const older = sha('b')
  const shares = [
    { plan: planOf('p1', older), catalog: films, row: row(sha('1')) },
    { plan: planOf('p2'), catalog: films, row: row(sha('2')) },
  ]
  expect(needsUnion(shares)).toBe(true)
  expect(needsUnion(shares.slice(0, 1))).toBe(false)
  const file = (path: string) => ({ path, size: 7, sha256: 'f'.repeat(64) })
  const manifest = (files: number[], over: string) => ({
    catalog: over,
    files: files.length,
    bytes: 0,
    set: FileSet.of(files),
  })
  const plan = planAssignment(
    input({
      shares,
      material: {
        manifests: new Map([
          [sha('1'), manifest([0, 1], older)],
          [sha('2'), manifest([1, 3], sha('c'))],
        ]),
        catalogs: new Map([[sha('c'), catalogOf([null, file('b'), file('c'), file('d')])]]),
      },
    }),
  )
  const entry = contentOf(plan)!.entries[0]!
  expect(entry).toMatchObject({ catalogDigest: sha('c'), files: 2, bytes: 14, plans: ['default/p1', 'default/p2'] })
  const blob = plan.blobs.find((b) => b.digest === entry.manifestDigest)!
  expect([...decodeFileSet(blob.bytes as Uint8Array).set]).toEqual([1, 3])
})

describe('an appliance that must go gives up everything first', () => {
  const deleting = { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z', finalizers: [APPLIANCE_FINALIZER] } }
  const assignment = (generation: number, entries: unknown[] = []) =>
    ({
      spec: { content: { generation, entries, fill: { timeZone: 'UTC' }, drainSeconds: 30, serve: false } },
    }) as unknown as Assignment
  const status = (generation: number, more: Record<string, unknown>): Appliance['status'] =>
    ({
      content: { generation, filesHeld: 0, storageUsedBytes: 0, inventories: [], ...more },
    }) as unknown as Appliance['status']
  const freed = (plan: ReturnType<typeof planAssignment>) =>
    written<Appliance>(plan, 'apply', 'Appliance').some((a) => a.metadata.finalizers?.length === 0)

  const cases: [reason: string, more: Partial<AssignmentInput>, freed: boolean][] = [
    [
      'it still advertises',
      {
        appliance: appliance('a1', 'fra1', { ...deleting, status: status(2, { inventories: [{}] }) }),
        assignment: assignment(2),
      },
      false,
    ],
    [
      'withdrawn, but clients may still be reading',
      {
        appliance: appliance('a1', 'fra1', { ...deleting, status: status(2, { storageUsedBytes: 5 }) }),
        assignment: assignment(2),
      },
      false,
    ],
    [
      'it reports emptiness for an older generation',
      { appliance: appliance('a1', 'fra1', { ...deleting, status: status(1, {}) }), assignment: assignment(2) },
      false,
    ],
    [
      'empty',
      { appliance: appliance('a1', 'fra1', { ...deleting, status: status(2, {}) }), assignment: assignment(2) },
      true,
    ],
    ['never reported', { appliance: appliance('a1', 'fra1', deleting), assignment: assignment(2) }, true],
    [
      'dark: nothing of it is advertised',
      {
        appliance: appliance('a1', 'fra1', {
          ...deleting,
          status: {
            ...status(1, { storageUsedBytes: 5 }),
            conditions: [{ type: 'Online', status: 'False', reason: 'x', message: '', lastTransitionTime: '' }],
          },
        }),
        assignment: assignment(1),
      },
      true,
    ],
  ]
  test.each(cases)('%s', (_reason, more, isFreed) => {
    const plan = planAssignment(input(more))
    expect(freed(plan)).toBe(isFreed)
    if (!isFreed) expect(contentOf(plan)).toMatchObject({ entries: [], serve: false })
  })

  test.each([
    ['decommissioned', { appliance: appliance('a1', 'fra1', { spec: { mode: 'Decommissioned' } }) }],
    ['its site is being deleted', { site: site('fra1', {}, { deletionTimestamp: '2030-01-01T00:00:00Z' }) }],
  ] as [string, Partial<AssignmentInput>][])('%s', (_reason, more) => {
    expect(contentOf(planAssignment(input(more)))).toMatchObject({ entries: [], serve: false })
  })

  test.each([
    ['in service', { spec: { mode: 'InService' } }, undefined],
    ['drained: what is filled then is there when it comes back', { spec: { mode: 'Draining' } }, undefined],
    ['out of service', { spec: { mode: 'OutOfService' } }, true],
    ['decommissioned: what it holds goes', { spec: { mode: 'Decommissioned' } }, undefined],
    [
      'deleted while out of service: what it holds goes',
      { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: { mode: 'OutOfService' } },
      undefined,
    ],
  ] as [string, Partial<AssignmentInput['appliance']>, boolean | undefined][])(
    'filling and evicting are paused, or not: %s',
    (_, more, paused) => {
      const content = contentOf(
        planAssignment(
          input({
            appliance: appliance('a1', 'fra1', { ...more, status: status(2, { storageUsedBytes: 5 }) }),
            assignment: assignment(2),
          }),
        ),
      )
      expect(content?.fill).toMatchObject({ timeZone: 'Europe/Berlin' })
      expect(content?.fill.paused).toBe(paused)
    },
  )

  test('drained for service, it keeps its content and serves no clients', () => {
    const plan = planAssignment(input({ appliance: appliance('a1', 'fra1', { spec: { mode: 'Draining' } }) }))
    expect(contentOf(plan)).toMatchObject({ serve: false, entries: [{ files: 2 }] })
  })
})

describe('while too much of the fleet is dark', () => {
  const brake = { engaged: true, message: '40 of 100 appliances are not online' } as const
  const assignment = written<Assignment>(planAssignment(input()), 'apply', 'Assignment')[0]!
  test.each([
    ['another plan changes no assignment', input({ assignment, shares: [], brake })],
    ['a new appliance is not given one', input({ brake })],
    [
      'a deleted one is not let go, although it seems to be dark',
      input({
        assignment,
        brake,
        appliance: appliance('a1', 'fra1', { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z' } }),
      }),
    ],
  ])('%s', (_reason, from) => {
    const plan = planAssignment(from)
    expect(plan.writes).toEqual([])
    expect(plan.outcome).toMatchObject({ type: 'waiting', reason: 'FleetDark' })
  })
  test('what is as it should be is not held up', () => {
    expect(planAssignment(input({ assignment, brake })).outcome).toEqual({ type: 'done' })
  })
})
