import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { appliances, sites } from '../../../controllers/resources.ts'
import type { Appliance } from '../../../crds/types.gen.ts'
import { finished, start, startTestServer, type TestServer, written } from '../harness.ts'
import { inProcess } from '../in-process.ts'

jest.setTimeout(120_000)

// No controllers run here: the test says what they and the agents would report.
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const create = (name: string, site: string, mode?: 'OutOfService') =>
    server.client.create(appliances, {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Appliance',
      metadata: { name, namespace: 'default', labels: { rack: name.slice(-1) } },
      spec: { siteRef: { name: site }, hardwareClassRef: { name: 'any' }, ...(mode ? { mode } : {}) } as never,
    })
  for (const name of ['fra1', 'ber1']) {
    const spec = { country: 'DE', metro: 'Somewhere' } as never
    await server.client.create(sites, {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name, namespace: 'default' },
      spec,
    })
  }
  await Promise.all([create('fra1-a', 'fra1'), create('fra1-b', 'fra1'), create('fra1-c', 'fra1', 'OutOfService')])
  await create('ber1-a', 'ber1')
})
afterAll(async () => server[Symbol.asyncDispose]())

const weir = (...args: string[]) => inProcess(args, { env: { KUBECONFIG: server.kubeconfig } })
const read = (name: string) => server.client.get(appliances, { namespace: 'default', name })

/** What its controller and its agent report of an appliance. */
async function report(name: string, { advertised, online = 'True' }: { advertised: number; online?: string }) {
  const { metadata, spec } = await read(name)
  const inventories = Array.from({ length: advertised }, (_, index) => ({
    catalog: { namespace: 'default', name: `catalog-${index}` },
    digest: `sha256:${'0'.repeat(64)}`,
    catalogDigest: `sha256:${'1'.repeat(64)}`,
  }))
  const zero = { generation: 1, filesDesired: 0, bytesDesired: 0, filesHeld: 0, filesFailing: 0, bytesToFill: 0 }
  const status = {
    observedGeneration: metadata.generation!,
    phase: spec.mode === 'InService' ? 'Ready' : 'Draining',
    conditions: [
      { type: 'Online', status: online, reason: 'Heartbeat', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
    content: {
      ...zero,
      ...{ bytesHeld: 2 ** 30, progressPercent: 100, storageUsedBytes: 0, storageCapacityBytes: 1, failures: [] },
      inventories,
    },
  }
  await server.client.patch(
    appliances,
    { namespace: 'default', name },
    { type: 'merge', merge: { status } as never },
    { subresource: 'status' },
  )
}

describe('drain', () => {
  test('says what it does to the site, sets the mode, and waits until nothing is advertised; restore takes it back', async () => {
    await report('fra1-a', { advertised: 1 })
    await report('fra1-b', { advertised: 1 })
    const child = start(['drain', 'appliance', 'fra1-a'], { env: { KUBECONFIG: server.kubeconfig } })
    const done = finished(child)
    await written(child, 'stderr', /has not taken this up yet/)
    expect((await read('fra1-a')).spec.mode).toBe('Draining')
    // Listened for before it is caused: what is written in between is not told again.
    const advertises = written(child, 'stderr', /still advertises files of 1 catalog\n/)
    await report('fra1-a', { advertised: 1 })
    await advertises
    await report('fra1-a', { advertised: 0 })
    const result = await done
    expect(result).toMatchObject({
      code: 0,
      stdout: 'appliance.fleet.weir.dev/fra1-a draining\nappliance.fleet.weir.dev/fra1-a drained\n',
    })
    expect(result.stderr).toContain(
      'site default/fra1: 1 of 2 appliances in service goes, with 1.0 GiB held; 1 stays, 1 of them online\n',
    )
    expect(await weir('drain', 'ap/fra1-a')).toMatchObject({
      code: 0,
      stdout: 'appliance.fleet.weir.dev/fra1-a unchanged\nappliance.fleet.weir.dev/fra1-a drained\n',
    })
    expect(await weir('restore', 'ap/fra1-a', '--no-wait')).toEqual({
      code: 0,
      stdout: 'appliance.fleet.weir.dev/fra1-a restoring\n',
      stderr: '',
    })
    expect((await read('fra1-a')).spec.mode).toBe('InService')
  })

  test('a site is its appliances; a dry run changes nothing; what is out of service stays', async () => {
    const before = await server.client.list(appliances)
    const { code, stdout, stderr } = await weir('drain', 'site', 'fra1', '--dry-run')
    expect({ code, stdout: stdout.split('\n').sort() }).toEqual({
      code: 0,
      stdout: [
        '',
        'appliance.fleet.weir.dev/fra1-a drained (server dry run)',
        'appliance.fleet.weir.dev/fra1-b drained (server dry run)',
        'appliance.fleet.weir.dev/fra1-c unchanged (it is OutOfService)',
      ],
    })
    expect(stderr).toMatch(/site default\/fra1: 2 of 2 .*; none is left, so its clients are sent to other sites\n/)
    expect((await server.client.list(appliances)).resourceVersion).toBe(before.resourceVersion)
  })

  test('somebody who is not there serves nobody', async () => {
    const drain = weir('drain', 'ap', '-l', 'rack=a', '--field-selector', 'metadata.name=ber1-a')
    for (;;) if ((await read('ber1-a')).spec.mode === 'Draining') break
    await report('ber1-a', { advertised: 3, online: 'False' })
    expect(await drain).toMatchObject({ code: 0 })
    expect(await weir('restore', 'site', 'ber1', '--no-wait', '-o', 'name')).toMatchObject({
      code: 0,
      stdout: 'appliance.fleet.weir.dev/ber1-a\n',
    })
  })

  test('a mode that its manifest sets is the manifest’s, unless it is taken over', async () => {
    const owned = (mode: Appliance['spec']['mode']) =>
      server.client.apply(
        appliances,
        {
          apiVersion: 'fleet.weir.dev/v1alpha1',
          kind: 'Appliance',
          metadata: { name: 'fra1-b', namespace: 'default' },
          spec: { siteRef: { name: 'fra1' }, hardwareClassRef: { name: 'any' }, mode },
        } as Appliance,
        { fieldManager: 'gitops', force: true },
      )
    await owned('InService')
    const refused = await weir('drain', 'ap/fra1-b', '--no-wait')
    expect(refused.code).toBe(4)
    expect(refused.stderr).toMatch(
      /fra1-b: error: its mode is somebody else's: .*gitops.*--force-conflicts=\.spec\.mode/,
    )
    expect((await read('fra1-b')).spec.mode).toBe('InService')
    expect(await weir('drain', 'ap/fra1-b', '--no-wait', '--force-conflicts=.spec.mode')).toMatchObject({ code: 0 })
    expect((await read('fra1-b')).spec.mode).toBe('Draining')
    await owned('Draining')
    const stays = await weir('restore', 'ap/fra1-b', '--no-wait')
    expect(stays.code).toBe(4)
    expect(stays.stderr).toMatch(/it stays Draining: not a drain but somebody else says so/)
  })

  test('too late is exit 7, and says what is missing', async () => {
    await report('ber1-a', { advertised: 1 })
    const { code, stderr } = await weir('drain', 'ap/ber1-a', '--timeout=3s')
    expect(code).toBe(7)
    expect(stderr).toContain(
      'error: appliance.fleet.weir.dev/ber1-a is not drained in time: its controller has not taken this up yet\n',
    )
  })

  test.each<[string, string[], number, RegExp]>([
    ['nothing named', ['drain'], 2, /which\? name appliances or sites/],
    [
      'something that serves nobody',
      ['drain', 'cm', 'x'],
      2,
      /configmaps cannot be drained, only appliances and sites/,
    ],
    ['a type without names', ['drain', 'ap'], 2, /no name was specified/],
    ['one that does not exist', ['drain', 'ap/nope'], 3, /appliances.fleet.weir.dev "nope" not found/],
  ])('%s', async (_why, args, code, stderr) => {
    expect(await weir(...args)).toEqual({ code, stdout: '', stderr: expect.stringMatching(stderr) })
  })
})
