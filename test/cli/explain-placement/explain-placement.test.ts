import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { type RunningAgent, startAgent } from '../../../agent/main.ts'
import type { ExplanationDocument } from '../../../cli/explain-placement/document.ts'
import type { PlanDocument } from '../../../cli/plan/document.ts'
import { appliances, placementPlans, placementPolicies } from '../../../controllers/resources.ts'
import { tokenSecretName } from '../../../reconcilers/credentials/plan-credentials.ts'
import { secrets } from '../../../runtime/client/resource.ts'
import { fast } from '../../agent/harness.ts'
import { eventually } from '../../controllers/control-plane.ts'
import { Folder, type Result } from '../harness.ts'
import { inProcess } from '../in-process.ts'
import { type LiveFleet, startLiveFleet } from '../plan/support/live-fleet.ts'

const KB = 1000
const FILES = 40
/** What ams1 surely has, on one appliance or the other. */
const popular = Array.from({ length: 5 }, (_, i) => `films/0${i}.mp4`)

const folder = new Folder()
const agents: RunningAgent[] = []
let live: LiveFleet

const fleet = (sourceUrl: string) => `
apiVersion: v1
kind: Namespace
metadata: { name: isp }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: HardwareClass
metadata: { name: small, annotations: { fleet.weir.dev/price: 1250 EUR } }
spec: { storageBytes: ${100 * KB}, storageMedium: flash, throughputGbps: 10 }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: HardwareClass
metadata: { name: large }
spec: { storageBytes: ${1000 * KB}, storageMedium: flash, throughputGbps: 10 }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata: { name: hub, namespace: isp }
spec: { country: DE, metro: fra, timeZone: Europe/Berlin }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata: { name: fra1, namespace: isp }
spec: { country: DE, metro: fra, timeZone: Europe/Berlin, parents: [{ name: hub }] }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata: { name: ams1, namespace: isp }
spec: { country: NL, metro: ams, timeZone: Europe/Amsterdam }
---
apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata: { name: empty, namespace: isp }
spec: { country: NL, metro: ams, timeZone: Europe/Amsterdam }
${[
  ['hub', 'hub-1'],
  ['fra1', 'fra1-1'],
  ['ams1', 'ams1-1'],
  ['ams1', 'ams1-2'],
]
  .map(
    ([site, name]) => `---
apiVersion: fleet.weir.dev/v1alpha1
kind: Appliance
metadata: { name: ${name}, namespace: isp }
spec: { siteRef: { name: ${site} }, hardwareClassRef: { name: small } }
`,
  )
  .join('')}---
apiVersion: content.weir.dev/v1alpha1
kind: Catalog
metadata: { name: films, namespace: isp }
spec:
  source: { url: '${sourceUrl}' }
  originUrl: ${live.originUrl}
---
${policy()}`

const policy = (extra = '') => `apiVersion: content.weir.dev/v1alpha1
kind: PlacementPolicy
metadata: { name: films, namespace: isp }
spec:
  catalogRef: { name: films }
  pins: [{ paths: ['trailers/**'] }]
  exclude: [{ paths: ['secret/**'] }]
  churn: { bonusPercent: 25 }
${extra}`

/** 40 films of 10 kB in falling popularity, so that a site has room for ten or twenty; and what is special. */
function source(): string {
  const films = Array.from({ length: FILES }, (_, i) => ({
    path: `films/${String(i).padStart(2, '0')}.mp4`,
    bytes: 10 * KB,
    popularity: 100 / (i + 1),
    title: i % 20 === 0 ? 'Akira' : `Film ${i}`,
  }))
  const special = [
    { path: 'trailers/one.mp4', bytes: 1 * KB, popularity: 0, title: 'Trailer' },
    { path: 'secret/one.mp4', bytes: 1 * KB, popularity: 100, title: 'Secret' },
    { path: 'films/huge.mp4', bytes: 101 * KB, popularity: 1000, title: 'Huge' },
  ]
  return [...films, ...special]
    .map(({ path, bytes, ...rest }) => {
      const content = Buffer.alloc(bytes, path)
      live.serve(path, content)
      return JSON.stringify({ path, size: bytes, sha256: createHash('sha256').update(content).digest('hex'), ...rest })
    })
    .join('\n')
}

beforeAll(async () => {
  live = await startLiveFleet()
  writeFileSync(join(live.dir, 'films.ndjson'), `${source()}\n`)
  const manifests = folder.file('fleet.yaml', fleet(pathToFileURL(join(live.dir, 'films.ndjson')).href))
  expect(await run('apply', '-f', manifests, '--no-wait', '--yes')).toMatchObject({ code: 0 })
  agents.push(await agentOf('ams1-1'))
  await eventually(async () => {
    const { status } = await live.client.get(appliances, { namespace: 'isp', name: 'ams1-1' })
    return (status?.content?.inventories.length ?? 0) > 0 && status?.content?.bytesToFill === 0
  }, 'ams1-1 holds what it should')
  // Inventories come a little later than the bytes.
  await eventually(async () => {
    const sites = await Promise.all(popular.map(async (path) => (await explained(path, '--site', 'ams1')).at('ams1')))
    return sites.every(({ appliances: on, holding }) => on.asked.includes('ams1-1') === holding!.includes('ams1-1'))
  }, 'ams1-1 has said so')
})
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.close()))
  await live?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

async function agentOf(name: string): Promise<RunningAgent> {
  const key = { namespace: 'isp', name: tokenSecretName(name) }
  const secret = await eventually(() => live.client.find(secrets, key), `a token for ${name}`)
  return await startAgent({
    gatewayUrl: live.gatewayUrl,
    ca: live.ca,
    appliance: { namespace: 'isp', name },
    token: Buffer.from(secret.data?.token ?? '', 'base64').toString('utf8'),
    root: join(live.dir, name),
    capacityBytes: 1e8,
    tuning: fast,
  })
}

const run = (...args: readonly string[]): Promise<Result> =>
  inProcess(args, { env: { KUBECONFIG: live.kubeconfigPath, XDG_CACHE_HOME: join(folder.path, 'cache') } })

const ask = (...args: readonly string[]) => run('explain-placement', ...args, '-n', 'isp')

async function explained(...args: readonly string[]) {
  const { code, stdout, stderr } = await ask(...args, '-o', 'json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [policy] = (JSON.parse(stdout) as ExplanationDocument).policies
  const at = (name: string) => policy!.sites.find((site) => site.name === name)!
  return { policy: policy!, at }
}

describe('weir explain-placement', () => {
  test('a file that is popular: where it is, verified by whom, and that it earns its place', async () => {
    const { policy, at } = await explained('films/00.mp4')
    expect(policy).toMatchObject({ policy: 'films', catalog: 'films', isUpToDate: true, files: 1, bytes: 10 * KB })
    expect(policy.plan).toMatch(/^films-/)
    expect(policy.totals).toEqual({ sites: 3, holdingAll: 3, holdingSome: 0 })
    const { appliances: on, holding, files, timesCutOff, reasons, role, wouldHelp } = at('ams1')
    expect(on.selected).toBe(2)
    expect(on.asked).toHaveLength(1)
    // Only one of the two has an agent.
    expect(holding).toEqual(on.asked.filter((name) => name === 'ams1-1'))
    expect(files).toEqual({ asked: 1, holding: holding!.length })
    expect(timesCutOff.least).toBeGreaterThan(2)
    expect([role, reasons, wouldHelp]).toEqual(['Edge', [{ why: 'EarnsItsPlace', files: 1 }], undefined])
    expect(at('hub').role).toBe('Parent')
  })

  test('inventories tell who holds it, of all that are asked to', async () => {
    const held = await Promise.all(popular.map(async (path) => (await explained(path, '--site', 'ams1')).at('ams1')))
    for (const { appliances: on, holding } of held) expect(holding).toEqual(on.asked.filter((n) => n === 'ams1-1'))
    expect(held.flatMap(({ holding }) => holding)).not.toHaveLength(0)
  })

  test('a file that is not: what it earns, and what would have it there', async () => {
    const { at } = await explained('films/35.mp4')
    const { reasons, timesCutOff, wouldHelp, message } = at('ams1')
    expect(reasons).toEqual([{ why: 'BelowCutOff', files: 1 }])
    expect(timesCutOff.most).toBeLessThan(1)
    // 36 films come first or are it, and each appliance has room for nine beside the trailer. The huge one is no rival.
    expect(wouldHelp!.storageBytes).toBe((36 - 18) * 10 * KB)
    expect(wouldHelp!.popularityTimes).toBeGreaterThan(1.5)
    expect(message).toMatch(
      /^earns 0\.\d+× the cut-off: would need \d(\.\d)?× its popularity, or 1\d\d KiB more storage here$/,
    )
  })

  const reasons: [file: string, site: string, why: string, message: RegExp][] = [
    ['trailers/one.mp4', 'ams1', 'Pinned', /^pinned by the policy/],
    ['secret/one.mp4', 'ams1', 'Excluded', /^excluded by the policy$/],
    ['films/huge.mp4', 'hub', 'TooLarge', /^larger, at 98\.6 KiB, than .*: 97\.7 KiB$/],
  ]
  test.each(reasons)('%s at %s: %s', async (file, site, why, message) => {
    const { at } = await explained(file)
    expect(at(site).reasons).toEqual([{ why, files: 1 }])
    expect(at(site).message).toMatch(message)
  })

  test('what a parent holds earns less below it', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { at } = await explained(`films/${String(i).padStart(2, '0')}.mp4`)
        return { hub: at('hub'), fra1: at('fra1') }
      }),
    )
    const left = all.find(({ fra1 }) => fra1.parent === 'isp/hub' && fra1.files.asked === 0)!
    expect(left.hub.appliances.asked).toEqual(['hub-1'])
    expect(left.fra1.message).toMatch(/earns .*× the cut-off/)
    for (const { hub, fra1 } of all) expect(fra1.parent).toBe(hub.files.asked > 0 ? 'isp/hub' : undefined)
  })

  test('a title is all its files, in sum', async () => {
    const { policy, at } = await explained('Akira')
    expect(policy).toMatchObject({ title: 'Akira', files: 2, paths: ['films/00.mp4', 'films/20.mp4'] })
    expect(at('ams1').reasons.reduce((sum, { files }) => sum + files, 0)).toBe(2)
    const { least, most } = at('ams1').timesCutOff
    expect(most! / least!).toBeCloseTo(21, 0)
    const { stdout } = await ask('Akira')
    expect(stdout).toMatch(/^Akira: 2 files, 19\.5 KiB, in Catalog isp\/films, [\d.]+% of all demand$/m)
    expect(stdout).toMatch(/^SITE +FILES +VERIFIED +DEMAND +CUT-OFF +WHY$/m)
  })

  test('text, YAML and JSON say the same; one match of a glob is as good as a path', async () => {
    const [text, yaml, json, glob] = await Promise.all([
      ask('films/00.mp4'),
      ask('films/00.mp4', '-o', 'yaml'),
      ask('films/00.mp4', '-o', 'json'),
      ask('films/0?.mp4', '-o', 'json').then((many) => many.stderr),
    ])
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout))
    expect(text.stdout).toMatch(/^films\/00\.mp4, 9\.77 KiB, in Catalog isp\/films/)
    expect(text.stdout).toMatch(/^isp\/ams1 +1 +[01] +[\d.]+% +[\d.]+× +earns [\d.]+× the cut-off$/m)
    expect(glob).toMatch(/matches 10 files, such as films\/00\.mp4, films\/01\.mp4, films\/02\.mp4: name one/)
    const one = JSON.parse((await ask('**/00.mp4', '-o', 'json')).stdout) as ExplanationDocument
    expect({ ...one, asked: 'films/00.mp4' }).toEqual(JSON.parse(json.stdout))
  })

  test('one site, and so many sites as are wanted', async () => {
    const all = await explained('films/05.mp4')
    const { policy } = await explained('films/05.mp4', '--site', 'fra1')
    expect(policy.sites.map(({ name }) => name)).toEqual(['fra1'])
    // It is explained as part of the whole, by its tree alone.
    expect(policy.sites[0]).toEqual(all.at('fra1'))
    const few = await explained('films/05.mp4', '--limit', '1')
    expect(few.policy.sites).toHaveLength(1)
    expect(few.policy.others.reduce((sum, { sites }) => sum + sites, 0)).toBe(2)
  })

  const refusals: [args: string[], code: number, stderr: RegExp][] = [
    [
      ['films/99.mp4'],
      3,
      /no file and no title of Catalog isp\/films is "films\/99\.mp4"; did you mean "films\/\d\d\.mp4"\?/,
    ],
    [
      ['films/00.mp4', '--policy', 'film'],
      3,
      /PlacementPolicy "film" not found in namespace isp; did you mean "films"\?/,
    ],
    [['films/00.mp4', '--site', 'empty'], 3, /PlacementPolicy films places on no appliance at site empty/],
    [['films/00.mp4', '-o', 'jsn'], 2, /-o jsn: expected text, json, yaml; did you mean "json"\?/],
    [['films/00.mp4', 'films/01.mp4'], 2, /name one file/],
    [[], 2, /name one file/],
  ]
  test.each(refusals)('refuses %j', async (args, code, stderr) => {
    expect(await ask(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(stderr) })
  })
})

describe('weir plan --what-if, on a fleet whose storage is scarce', () => {
  const planned = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run('plan', '-n', 'isp', '-o', 'json', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const document = JSON.parse(stdout) as PlanDocument
    return { document, policy: document.fleet.policies[0]!, sites: document.fleet.sites }
  }
  const versions = async () =>
    (await live.client.list(appliances, { namespace: 'isp' })).items.map(({ metadata }) => [
      metadata.name,
      metadata.generation,
    ])

  test('another appliance: what it would serve, at most, what it would fill, and cost; and nothing is written', async () => {
    const before = await versions()
    const { document, policy, sites } = await planned('--what-if', 'add=ams1:small:2')
    expect(document.summary).toEqual({ add: 2, change: 0, delete: 0, unchanged: 0 })
    expect(document.changes.map(({ name, reason }) => [name, reason])).toEqual([
      ['ams1-what-if-1', 'what if: of class small'],
      ['ams1-what-if-2', 'what if: of class small'],
    ])
    expect(document.whatIf).toEqual({
      suppositions: ['add=ams1:small:2'],
      cost: [{ currency: 'EUR', amount: 2500 }],
    })
    expect(policy.plan).toBe('anew')
    const { offloadPercent, boundPercent } = policy
    expect(offloadPercent.after.value!).toBeGreaterThan(offloadPercent.before.value!)
    expect(boundPercent.after.value!).toBeGreaterThan(boundPercent.before.value!)
    expect(boundPercent.after.value!).toBeGreaterThanOrEqual(offloadPercent.after.value!)
    // Room for the twenty-two films that were not there: what fits of them, and two trailers.
    const ams1 = sites.find(({ name }) => name === 'ams1')!
    expect(ams1.appliances).toBe(4)
    expect(ams1.fillBytes.value!).toBeGreaterThan(150 * KB)
    expect(ams1.fillBytes.value!).toBeLessThanOrEqual(200 * KB)
    expect(await versions()).toEqual(before)
  })

  test('one less, and one of a class that is larger', async () => {
    const { document, policy } = await planned('--what-if', 'remove=ams1/ams1-?,class=fra1/*:large')
    expect(document.summary).toMatchObject({ change: 1, delete: 2 })
    expect(document.changes.find(({ name }) => name === 'fra1-1')!.fields).toEqual([
      { path: 'spec.hardwareClassRef.name', before: 'small', after: 'large' },
    ])
    // The large one has no price.
    expect(document.whatIf).toEqual({
      suppositions: ['remove=ams1/ams1-?', 'class=fra1/*:large'],
      costUnknown: expect.stringContaining('HardwareClass large is not there'),
    })
    expect(policy.plan).toBe('anew')
  })

  test('text begins with what is supposed; limits hold', async () => {
    const { code, stdout } = await run('plan', '-n', 'isp', '--what-if', 'add=ams1:small', '--max-fill', '40KiB')
    expect(code).toBe(5)
    expect(stdout).toMatch(
      /^what if: 1 to add for 1,250 EUR\n\+ Appliance\/ams1-what-if-1 \(what if: of class small\)$/m,
    )
    expect(stdout).toMatch(/^POLICY +PLAN +OFFLOAD +BOUND +LEFT OUT$/m)
    expect(stdout).toMatch(/^isp\/films +anew +[\d.]+ % → [\d.]+ % +[\d.]+ % → [\d.]+ % /m)
    expect(stdout).toMatch(/^gate --max-fill 40KiB exceeded at ams1/m)
  })

  const refusals: [args: string[], stderr: RegExp][] = [
    [['add=ams2:small'], /Site "ams2" not found in namespace isp; did you mean "ams1"\?/],
    [['add=ams1:smal'], /HardwareClass "smal" not found; did you mean "small"\?/],
    [['remove=ams1/ams1-7'], /there is no appliance ams1-7 at site ams1 in namespace isp; did you mean "ams1-1"\?/],
    [['remove=ams1/ams1-1,remove=ams1/ams1-1'], /there is no appliance ams1-1/],
    [['add=ams1:small', '--out', 'plan.json'], /--out keeps what is to be applied/],
  ]
  test.each(refusals)('refuses %j', async (args, stderr) => {
    const result = await run('plan', '-n', 'isp', '--what-if', ...args)
    expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) })
  })
})

describe('what is scarce', () => {
  test('is kept in the plan and the policy, and described', async () => {
    const { status } = await live.client.get(placementPolicies, { namespace: 'isp', name: 'films' })
    const { spec } = await live.client.get(placementPlans, { namespace: 'isp', name: status!.currentPlan! })
    expect(spec.scarce![0]).toMatchObject({ resource: 'Storage', storageBytes: 10 * KB })
    expect(status!.scarce).toEqual(spec.scarce)
    const { stdout } = await run('describe', 'placementpolicy', 'films', '-n', 'isp')
    const { site, gainPercent } = spec.scarce![0]!
    expect(stdout).toContain(`another 10 kB at isp/${site.name} is worth up to ${gainPercent}% of all demand`)
    expect(stdout).toMatch(/^Offload: +[\d.]+% expected, at most [\d.]+% possible \([\d.]+% of it\)$/m)
  })
})
