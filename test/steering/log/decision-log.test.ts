import { mkdtemp, rm, symlink, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { newAddress } from '../../../reconcilers/steering/address.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { decide, newScratch } from '../../../reconcilers/steering/decide.ts'
import { putCatalog } from '../../../reconcilers/steering/update.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Counters } from '../../../steering/counters.ts'
import { DecisionLog } from '../../../steering/log/decision-log.ts'
import { readDecisions } from '../../../steering/log/read-decisions.ts'
import { CatalogIndex, catalogTables } from '../../../steering/world/catalog-index.ts'
import { eventually } from '../../gateway/harness.ts'

test('a disk that was full is written again once it is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-decisions-'))
  const path = join(folder, 'decisions')
  const clock = new FakeClock()
  const errors: unknown[] = []
  const log = { ...silentLog, error: (fields: unknown) => errors.push(fields) }
  const world = buildWorld({ sites: [], appliances: [] }, 0)
  putCatalog(world, 'play/films', { files: 0, file: () => undefined })
  const client = { site: -1, region: -1, networkClass: 0, source: 'none' as const }
  const index = new CatalogIndex('sha256:0', catalogTables([{ path: 'one.mp4' }], 1, 64))
  const decision = (seed: number) => {
    const request = {
      ...{ client, catalog: 0, files: [0], purpose: 'vod' as const, excluded: [], affinityKey: 1, canaryKey: 2, seed },
      ...{ maxUrls: 0, explain: false },
    }
    const answer = decide(world, request, newScratch())
    return { request, answer, index, catalog: 'play/films', entry: 0, path: 'one.mp4', title: undefined }
  }
  try {
    await symlink('/dev/full', path)
    const decisions = await DecisionLog.open({ world, isDown: () => false, path, clock, log, counters: new Counters() })
    decisions.add(decision(1), newAddress())
    await clock.advance(500)
    await eventually(async () => errors.length > 0, 'that it is full is told')
    await unlink(path)
    decisions.add(decision(2), newAddress())
    await clock.advance(500)
    decisions.add(decision(3), newAddress())
    await clock.advance(5000)
    await decisions.close()
    const broken = { lines: 0 }
    const seeds: number[] = []
    for await (const entry of readDecisions(path, broken)) if (entry.type === 'decision') seeds.push(entry.seed)
    expect([seeds, broken.lines]).toEqual([[2, 3], 0])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
