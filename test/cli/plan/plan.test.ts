import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type RunningAgent, startAgent } from '../../../agent/main.ts'
import type { PlanDocument } from '../../../cli/plan/document.ts'
import type { SavedPlan } from '../../../cli/plan/saved-plan.ts'
import { appliances, placementPolicies, sites } from '../../../controllers/resources.ts'
import type { KubeObject } from '../../../crds/metadata.ts'
import { tokenSecretName } from '../../../reconcilers/credentials/plan-credentials.ts'
import { namespaces, type Resource, secrets } from '../../../runtime/client/resource.ts'
import { fast } from '../../agent/harness.ts'
import { eventually } from '../../controllers/control-plane.ts'
import { Folder, kubectl, type Result, type RunOptions, weir } from '../harness.ts'
import { makePool } from './support/fleets.ts'
import { type LiveFleet, startLiveFleet } from './support/live-fleet.ts'
import { Random } from './support/random.ts'

const NAMESPACE = 'isp'
const PLANNER = 'planner-token'
const VIEWER = 'viewer-token'

const folder = new Folder()
const agents: RunningAgent[] = []
let live: LiveFleet
/** What the files of the catalog weigh. */
let bytes: number

const manifests = {
  hardware: `apiVersion: fleet.weir.dev/v1alpha1
kind: HardwareClass
metadata: { name: small }
spec: { storageBytes: 1000000, storageMedium: flash, throughputGbps: 10 }
`,
  fra1: `apiVersion: fleet.weir.dev/v1alpha1
kind: Site
metadata:
  name: fra1
  namespace: isp
spec:
  country: DE
  metro: fra
  timeZone: Europe/Berlin
`,
  appliance: (name: string, mode = 'InService') => `apiVersion: fleet.weir.dev/v1alpha1
kind: Appliance
metadata: { name: ${name}, namespace: isp }
spec:
  siteRef: { name: fra1 }
  hardwareClassRef: { name: small }
  mode: ${mode}
`,
  catalog: (url: string, name = 'films') => `apiVersion: content.weir.dev/v1alpha1
kind: Catalog
metadata: { name: ${name}, namespace: isp }
spec:
  source: { url: '${url}' }
  originUrl: ${live.originUrl}
`,
  policy: (perSite: number, extra = '', name = 'films') => `apiVersion: content.weir.dev/v1alpha1
kind: PlacementPolicy
metadata: { name: ${name}, namespace: isp }
spec:
  catalogRef: { name: ${name} }
  copies:
    perSite: ${perSite}
${extra}`,
}

beforeAll(async () => {
  const who = (name: string) => ({ name, groups: [] })
  live = await startLiveFleet(
    new Map([
      [PLANNER, who('planner')],
      [VIEWER, who('viewer')],
    ]),
  )
  await live.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  await allow('planner', true)
  await allow('viewer', false)
  const pool = makePool(new Random(7)).slice(0, 10)
  for (const file of pool) live.serve(file.path, file.bytes)
  const contents = new Map(pool.map(({ sha256, bytes: content }) => [sha256, content.length]))
  bytes = [...contents.values()].reduce((a, b) => a + b, 0)
  const lines = pool.map(({ path, bytes: content, sha256 }, i) =>
    JSON.stringify({ path, size: content.length, sha256, popularity: i + 1 }),
  )
  writeFileSync(join(live.dir, 'films.ndjson'), `${lines.join('\n')}\n`)
  const all = [manifests.hardware, manifests.fra1, manifests.appliance('a'), manifests.appliance('b')]
  folder.file('fleet.yaml', [...all, manifests.catalog(filmsUrl()), manifests.policy(2)].join('---\n'))
  const applied = await run(['apply', '-f', 'fleet.yaml', '--no-wait', '--yes'])
  expect(applied).toMatchObject({ code: 0 })
  for (const name of ['a', 'b']) agents.push(await agentOf(name))
  await eventually(async () => {
    const { items } = await live.client.list(appliances, { namespace: NAMESPACE })
    return items.every(({ status }) => status?.content?.filesHeld === 10 && status.content.inventories.length > 0)
  }, 'both hold everything')
})
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.close()))
  await live?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const filmsUrl = () => pathToFileURL(join(live.dir, 'films.ndjson')).href

/** May list what there is; with blobs, or without. */
async function allow(user: string, blobs: boolean): Promise<void> {
  const role: KubeObject & { readonly rules: unknown } = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: user },
    rules: [
      { apiGroups: ['fleet.weir.dev', 'content.weir.dev', ''], resources: ['*'], verbs: ['get', 'list'] },
      ...(blobs ? [{ nonResourceURLs: ['/weir/v1/blobs'], verbs: ['get'] }] : []),
    ],
  }
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  }
  const resource = (plural: string, kind: string): Resource => ({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    plural,
    kind,
    namespaced: false,
  })
  await live.client.create(resource('clusterroles', 'ClusterRole'), role)
  await live.client.create(resource('clusterrolebindings', 'ClusterRoleBinding'), binding as KubeObject)
}

async function agentOf(name: string): Promise<RunningAgent> {
  const secret = await eventually(
    () => live.client.find(secrets, { namespace: NAMESPACE, name: tokenSecretName(name) }),
    `a token for ${name}`,
  )
  return await startAgent({
    gatewayUrl: live.gatewayUrl,
    ca: live.ca,
    appliance: { namespace: NAMESPACE, name },
    token: Buffer.from(secret.data?.token ?? '', 'base64').toString('utf8'),
    root: join(live.dir, name),
    capacityBytes: 1e8,
    tuning: fast,
  })
}

function run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const env = { KUBECONFIG: live.kubeconfigPath, XDG_CACHE_HOME: join(folder.path, 'cache') }
  return weir(args, { cwd: folder.path, ...options, env: { ...env, ...options.env } })
}

/** A folder with a kustomization of what is in one.yaml. */
function kustomization(): string {
  const path = join(folder.path, 'kustomized')
  mkdirSync(path)
  copyFileSync(join(folder.path, 'one.yaml'), join(path, 'one.yaml'))
  writeFileSync(join(path, 'kustomization.yaml'), 'resources: [one.yaml]\n')
  return path
}

/** Where kubectl is, which has kustomize in it; else where a program is that builds just what the one above needs. */
function kustomizePath(): string {
  if (kubectl !== undefined) return dirname(kubectl)
  const path = folder.file('kustomize', '#!/bin/sh\n[ "$1" = build ] && exec /bin/cat "$2/one.yaml"\n')
  chmodSync(path, 0o755)
  return folder.path
}

/** Somebody with nothing but a token. */
function as(token: string): RunOptions {
  const kubeconfig = parse(readFileSync(live.kubeconfigPath, 'utf8')) as { users: { user: unknown }[] }
  kubeconfig.users[0]!.user = { token }
  return { env: { KUBECONFIG: folder.file(`${token}.yaml`, stringify(kubeconfig)) } }
}

const planOf = ({ stdout }: Result) => JSON.parse(stdout) as PlanDocument

describe('weir plan', () => {
  test('says nothing moves where nothing changes', async () => {
    expect(await run(['plan', '-f', 'fleet.yaml'])).toMatchObject({ code: 0, stdout: '6 unchanged\n', stderr: '' })
  })

  test('shows a field at its place, and what it does to the site', async () => {
    folder.file('policy.yaml', manifests.policy(1))
    const { code, stdout } = await run(['plan', '-f', 'policy.yaml'])
    expect(code).toBe(1)
    const [summary, change, head, site] = stdout.split('\n')
    expect(summary).toBe('1 to change')
    expect(change).toMatch(/^~ PlacementPolicy\/films spec\.copies\.perSite: 2 → 1 +policy\.yaml:7:14$/)
    expect(head!.split(/ {2,}/)).toEqual(['SITE', 'FILL', 'EVICT', 'DRAIN', 'RESTART', 'WAVE', 'ETA'])
    expect(site!.split(/ {2,}/).slice(0, 2)).toEqual(['fra1', '0 B'])
  })

  test('everything a file, a folder, a glob and stdin say alike is planned alike', async () => {
    folder.file('one.yaml', manifests.appliance('a', 'Draining'))
    const text = readFileSync(join(folder.path, 'one.yaml'))
    const folderOf = new Folder()
    folderOf.file('one.yaml', text)
    const plans = await Promise.all([
      run(['plan', '-f', 'one.yaml', '-o', 'json']),
      run(['plan', '-f', '-', '-o', 'json'], { input: text }),
      run(['plan', '-f', folderOf.path, '-o', 'json']),
      run(['plan', '-R', '-f', folderOf.path, '-o', 'json']),
      run(['plan', '-f', join(folderOf.path, 'on?.yaml'), '-o', 'json']),
    ])
    folderOf[Symbol.dispose]()
    plans.push(await run(['plan', '-k', kustomization(), '-o', 'json'], { env: { PATH: kustomizePath() } }))
    const comparable = plans.map((result) => {
      const { madeAt: _, changes, ...rest } = planOf(result)
      // Only where it stands differs.
      const nowhere = JSON.parse(JSON.stringify(changes, (key, value) => (key === 'place' ? undefined : value)))
      return { code: result.code, ...rest, changes: nowhere }
    })
    for (const other of comparable.slice(1)) expect(other).toEqual(comparable[0])
    const { fleet, summary } = planOf(plans[0]!)
    expect(summary).toEqual({ add: 0, change: 1, delete: 0, unchanged: 0 })
    expect(fleet.totals.drained).toEqual({ certainty: 'exact', value: 1 })
    expect(fleet.totals.fillBytes).toEqual({ certainty: 'exact', value: 0 })
    // It keeps its bytes, but nobody is sent to them: every file has one copy left, and its policy wants two.
    expect(fleet.totals.belowFloorBytes).toEqual({ certainty: 'estimate', value: bytes })
  })

  test('a new appliance fills from its peer, and is slow to start as nobody has heard of it', async () => {
    const { fleet } = planOf(
      await run(['plan', '-f', '-', '-o', 'json'], { input: `${manifests.appliance('c')}---\n${manifests.policy(3)}` }),
    )
    const [site] = fleet.sites
    const fill = fleet.totals.fillBytes.value!
    expect(fill).toBe(bytes)
    expect(site!.links).toEqual([{ from: 'peer', bytes: { certainty: 'estimate', value: fill } }])
    expect(site!.etaSeconds).toMatchObject({ certainty: 'unknown', why: 'isp/c is not online' })
  })

  test('an appliance that is out of service fills nothing, and what it should hold when it is back', async () => {
    const input = `${manifests.appliance('c', 'OutOfService')}---\n${manifests.policy(3)}`
    const { totals } = planOf(await run(['plan', '-f', '-', '-o', 'json'], { input })).fleet
    const back = planOf(
      await run(['plan', '-f', '-', '-o', 'json'], { input: input.replace('OutOfService', 'InService') }),
    )
    expect(back.fleet.totals.fillBytes.value).toBe(bytes)
    expect(totals.fillBytes.value).toBe(0)
  })

  test('deletions, of an appliance and of what places everything', async () => {
    const gone = planOf(await run(['plan', '--delete', '-f', '-', '-o', 'json'], { input: manifests.policy(2) }))
    expect(gone.summary.delete).toBe(1)
    expect(gone.fleet.totals.evictBytes).toEqual({ certainty: 'exact', value: 2 * bytes })
    expect(gone.fleet.policies[0]).toMatchObject({ plan: 'removed', offloadLossPercent: { value: 100 } })
    const one = planOf(await run(['plan', '--delete', '-f', 'one.yaml', '-o', 'json']))
    expect(one.fleet.totals).toMatchObject({
      evictBytes: { value: bytes },
      drained: { value: 1 },
      fillBytes: { value: 0 },
    })
  })

  test('a window bounds the fill, in the site’s own time', async () => {
    const windows = `  fillWindows: [{ start: '02:00', end: '02:01', maxGbps: 0.000001 }]\n`
    const input = `${manifests.fra1}${windows}---\n${manifests.policy(3)}---\n${manifests.appliance('c')}`
    const { fleet } = planOf(await run(['plan', '-f', '-', '-o', 'json'], { input }))
    const { window, etaSeconds } = fleet.sites[0]!
    expect(window).toMatchObject({ timeZone: 'Europe/Berlin', maxGbps: 0.000001 })
    expect(window.opensAt ?? '02:00').toMatch(/02:00/)
    expect(etaSeconds.certainty).toBe('unknown')
  })

  describe('what cannot be known', () => {
    test('a new catalog is unknown until its source is read', async () => {
      folder.file('new.yaml', `${manifests.catalog(filmsUrl(), 'more')}---\n${manifests.policy(1, '', 'more')}`)
      const dark = await run(['plan', '-f', 'new.yaml', '--max-fill', '1GiB', '--max-offload-loss', '1%'])
      expect(dark.code).toBe(5)
      expect(dark.stdout).toMatch(/^fra1 +unknown +unknown +0\/2 +0 +- +unknown$/m)
      expect(dark.stdout).toMatch(/^gate --max-fill 1GiB refuses what is unknown at fra1: Catalog isp\/more is new/m)
      const read = planOf(await run(['plan', '-f', 'new.yaml', '-o', 'json', '--read-sources']))
      // The very same bytes are there already, for the other catalog.
      expect(read.fleet.totals.fillBytes).toEqual({ certainty: 'exact', value: 0 })
      expect(read.fleet.policies.map(({ name, plan }) => [name, plan])).toContainEqual(['more', 'new'])
    })

    test('without blobs the plan says why, and still knows what needs none', async () => {
      const args = ['plan', '-f', '-', '-o', 'json', '--no-cache']
      const dark = planOf(await run(args, { ...as(VIEWER), input: manifests.policy(1) }))
      expect(dark.fleet.totals.fillBytes).toMatchObject({ certainty: 'unknown', value: null })
      expect(dark.fleet.notes.join('\n')).toContain("figures that need the fleet's blobs are unknown")
      const drained = planOf(await run(args, { ...as(VIEWER), input: manifests.appliance('a', 'Draining') }))
      expect(drained.fleet.totals).toMatchObject({
        drained: { certainty: 'exact', value: 1 },
        fillBytes: { certainty: 'exact', value: 0 },
      })
    })
  })

  test('an account that can only read plans as an administrator does', async () => {
    const input = manifests.policy(1)
    const [mine, theirs] = await Promise.all([
      run(['plan', '-f', '-', '-o', 'json'], { input }),
      run(['plan', '-f', '-', '-o', 'json', '--no-cache'], { ...as(PLANNER), input }),
    ])
    expect([theirs.code, planOf(theirs).fleet]).toEqual([mine.code, planOf(mine).fleet])
    expect(planOf(theirs).fleet.totals.evictBytes.value).toBeGreaterThan(0)
    expect(theirs.stderr).toContain('you may not apply placementpolicies.content.weir.dev')
  })

  test.each([
    [['--max-drain', '0'], 5, 'gate --max-drain 0 exceeded (1)'],
    [['--max-drain', '40%'], 5, 'gate --max-drain 40% exceeded at fra1 (50.00 %)'],
    [['--max-drain', '1', '--max-deletes', '0', '--max-fill', '0'], 1, 'gate --max-drain 1 passed (1)'],
    [['--max-drain', '1', '--exit-code=false'], 0, 'gate --max-drain 1 passed (1)'],
    [['--max-drain', '0', '--exit-code=false'], 5, 'gate --max-drain 0 exceeded (1)'],
    [['--max-drain', 'few'], 2, undefined],
    [['--max-fill', '3 bananas'], 2, undefined],
    [['-o', 'jsn'], 2, undefined],
  ] as const)('gates: %j ends with %i', async (args, code, line) => {
    const result = await run(['plan', '-f', 'one.yaml', ...args])
    expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code })
    if (line !== undefined) expect(result.stdout.split('\n')).toContain(line)
  })

  test('is a table for a pull request, and annotations for its files', async () => {
    const [markdown, github, yaml] = await Promise.all(
      ['markdown', 'github', 'yaml'].map((format) => run(['plan', '-f', 'one.yaml', '-o', format, '--max-drain', '0'])),
    )
    expect(markdown!.stdout).toContain('| SITE | FILL | EVICT | DRAIN | RESTART | WAVE | ETA |')
    expect(markdown!.stdout).toMatch(/^### weir plan: refused$/m)
    expect(github!.stdout).toMatch(
      /^::notice file=one\.yaml,line=7,col=9,title=Appliance\/a to change::spec\.mode: InService → Draining$/m,
    )
    expect(github!.stdout).toMatch(/^::error title=gate::gate --max-drain 0 exceeded \(1\)$/m)
    expect(yaml!.stdout).toContain('apiVersion: cli.weir.dev/v1alpha1')
  })
})

describe('weir plan --out', () => {
  const secret = `apiVersion: v1
kind: Secret
metadata: { name: hidden, namespace: isp }
stringData: { password: correct-horse }
`

  test('keeps what was read, and no secret, where only its owner looks', async () => {
    const url = 'https://user:battery-staple@example.com/films.ndjson'
    const input = `${secret}---\n${manifests.appliance('a', 'Draining')}---\n${manifests.catalog(url, 'other')}`
    const result = await run(['plan', '-f', '-', '--out', 'plan.json'], { input })
    expect(result).toMatchObject({ code: 1 })
    const path = join(folder.path, 'plan.json')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const text = readFileSync(path, 'utf8')
    for (const said of [text, result.stdout, result.stderr]) {
      expect(said).not.toContain('correct-horse')
      expect(said).not.toContain(Buffer.from('correct-horse').toString('base64'))
      expect(said).not.toContain('battery-staple')
    }
    const saved = JSON.parse(text) as SavedPlan
    expect(saved.withheld.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['Secret hidden', 'Catalog other'])
    expect(saved.objects.map((object) => object.kind)).toEqual(['Appliance'])
    const site = await live.client.get(sites, { namespace: NAMESPACE, name: 'fra1' })
    const { uid, resourceVersion } = site.metadata
    const read = saved.reads.find(({ kind, name }) => kind === 'Site' && name === 'fra1')
    expect([read?.uid, typeof read?.resourceVersion]).toEqual([uid, typeof resourceVersion])
  })

  test('knows when it is stale, and what has moved', async () => {
    const { checkFresh, movedSince, readSavedPlan, savedManifests } = await import('../../../cli/plan/saved-plan.ts')
    const { connection } = live
    const signal = new AbortController().signal
    await run(['plan', '-f', 'one.yaml', '--out', 'fresh.json'])
    const path = join(folder.path, 'fresh.json')
    const saved = await readSavedPlan(path)
    expect(savedManifests(path, saved).map(({ object }) => object.metadata.name)).toEqual(['a'])
    // What the fleet reports all the time is no news.
    await live.client.patch(
      appliances,
      { namespace: NAMESPACE, name: 'b' },
      { type: 'merge', merge: { status: { phase: 'Ready', waitingFor: ['nothing'] } } },
      { subresource: 'status' },
    )
    expect(await movedSince(connection, saved, signal)).toEqual([])
    await live.client.patch(
      placementPolicies,
      { namespace: NAMESPACE, name: 'films' },
      { type: 'merge', merge: { metadata: { labels: { touched: 'yes' } } } },
    )
    const stale = checkFresh(connection, path, saved, signal)
    await expect(stale).rejects.toMatchObject({
      code: 6,
      message: expect.stringContaining('PlacementPolicy isp/films was changed'),
    })
  })

  test('is refused where it is something else', async () => {
    const { readSavedPlan } = await import('../../../cli/plan/saved-plan.ts')
    for (const [text, why] of [
      ['{', 'it is not JSON'],
      ['{"kind":"List"}', 'is not a plan'],
      ['{"kind":"SavedPlan","apiVersion":"cli.weir.dev/v9"}', 'another version'],
      ['{"kind":"SavedPlan","apiVersion":"cli.weir.dev/v1alpha1"}', 'damaged'],
    ] as const) {
      await expect(readSavedPlan(folder.file('bad.json', text))).rejects.toMatchObject({
        code: 2,
        message: expect.stringContaining(why),
      })
    }
  })
})
