import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Appliance } from '../../crds/types.gen.ts'
import { Folder, finished, type Result, start, weir, written } from './harness.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

// One control plane with six appliances, put through what happens to such things. The tests below follow on each other.

const folder = new Folder()
const tree = join(folder.path, 'tree')
const files = new Map<string, string>()

beforeAll(() => {
  for (let i = 0; i < 40; i++) files.set(`d${i % 4}/file ${i} #?%.txt`, `${i} `.repeat(i * 100))
  files.set('empty', '')
  files.set('東京/雨.md', 'rain')
  for (const [path, text] of files) {
    mkdirSync(join(tree, path, '..'), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  symlinkSync('empty', join(tree, 'link'))
  files.set('link', '')
  symlinkSync('/etc/hostname', join(tree, 'out'))
})

afterAll(async () => {
  running?.kill('SIGKILL')
  await done
  folder[Symbol.dispose]()
})

let running: ChildProcess | undefined
let done: Promise<Result> | undefined

async function up(): Promise<string> {
  const args = [
    'up',
    '--quickstart',
    '--dir',
    'data',
    '--origin',
    tree,
    '--port',
    '0',
    '--gateway-port',
    '0',
    '--steering-port',
    '0',
    '--origin-port',
    '0',
  ]
  running = start(args, { cwd: folder.path })
  done = finished(running)
  return await written(running, 'stderr', /starting again goes on from here\.\n/)
}

const get = async (...args: string[]) =>
  weir(['get', ...args, '-n', 'quickstart'], { cwd: folder.path, env: { KUBECONFIG: 'data/kubeconfig' } })

async function appliances(): Promise<Appliance[]> {
  const { stdout } = await get('appliances', '-o', 'json')
  return (JSON.parse(stdout) as { items: Appliance[] }).items
}

/** The processes of the local agents, by appliance. */
function agents(): Map<string, number> {
  const found = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const root = words[words.indexOf('--root') + 1]
      if (words.includes('agent') && root?.startsWith(folder.path))
        found.set(words[words.indexOf('--appliance') + 1]!, Number(pid))
    } catch {
      // It has ended since.
    }
  }
  return found
}

async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const value = await look()
    if (value) return value
  }
  throw new Error(`did not come to be: ${what}`)
}

/** Asks every appliance for every file. What it answers must be the file, and every site must have every file. */
async function checkContent(): Promise<void> {
  const bySite = new Map<string, Set<string>>()
  for (const { spec, status } of await appliances()) {
    const held = bySite.get(spec.siteRef.name) ?? new Set()
    bySite.set(spec.siteRef.name, held)
    for (const [path, text] of files) {
      const url = `${status?.addresses?.[0]?.url}/quickstart/library/${path.split('/').map(encodeURIComponent).join('/')}`
      const response = await fetch(url)
      const body = Buffer.from(await response.arrayBuffer())
      if (response.status === 404) continue
      const digest = createHash('sha256').update(text).digest('hex')
      expect([path, response.status, createHash('sha256').update(body).digest('hex')]).toEqual([path, 200, digest])
      held.add(path)
    }
  }
  expect([...bySite].map(([site, held]) => [site, held.size]).sort()).toEqual([
    ['ams1', files.size],
    ['fra1', files.size],
  ])
}

const onLinux = process.platform === 'linux' ? describe : describe.skip

onLinux('weir up --quickstart', () => {
  test('fills six appliances, shows the fleet as a table and what to try next', async () => {
    const said = await up()
    expect(said).toMatch(/^Control plane: https:\/\/127\.0\.0\.1:\d+ \(kubeconfig data\/kubeconfig\)$/m)
    expect(said).toMatch(/^Steering: http:\/\/127\.0\.0\.1:\d+$/m)
    expect(said).toContain('Warning: the origin leaves out out: the link leads out of the folder\n')
    expect(said).toMatch(/^Origin: http:\/\/127\.0\.0\.1:\d+ serves tree \(43 files, /m)
    expect(said).toMatch(/^fra1-a: Ready, 100% of \d+ files/m)
    expect(said).toMatch(/^All 6 appliances hold what they should, /m)
    expect(said).toMatch(
      /Try next, in another terminal:\n {2}KUBECONFIG=data\/kubeconfig weir describe appliance ams1-a -n quickstart\n {2}curl http:.*\n {2}curl 'http:.*' .*\n {2}KUBECONFIG=data\/kubeconfig weir diff -f .*examples\/quickstart/,
    )
    expect(said).not.toContain('\u001b')
    const curl = /curl (\S+)/.exec(said)![1]!
    expect((await fetch(curl)).status).toBe(200)
    // What is verified is advertised within two seconds, as a status is written no more often.
    let play: { urls: { url: string; site: string }[] } = { urls: [] }
    while (play.urls.length === 0) {
      await sleep(50)
      play = (await (await fetch(/curl '(\S+)'/.exec(said)![1]!)).json()) as typeof play
    }
    expect(play.urls[0]!.site).toMatch(/^quickstart\//)
    expect((await fetch(play.urls[0]!.url)).status).toBe(200)
    await checkContent()
    expect(statSync(join(folder.path, 'data/kubeconfig')).mode & 0o777).toBe(0o600)
  })

  test('a second one on the same folder is refused', async () => {
    const second = await weir(['up', '--dir', 'data', '--port', '0'], { cwd: folder.path })
    expect([second.code, second.stderr]).toEqual([
      2,
      expect.stringMatching(/^error: another `weir up` is running on .*data; stop it, or /),
    ])
  })

  test('an agent that is killed is started again', async () => {
    const before = agents()
    expect([...before.keys()].sort()).toEqual(
      ['ams1-a', 'ams1-b', 'ams1-c', 'fra1-a', 'fra1-b', 'fra1-c'].map((name) => `quickstart/${name}`),
    )
    const pid = before.get('quickstart/fra1-a')!
    process.kill(pid, 'SIGKILL')
    await eventually('a new agent', () => (agents().get('quickstart/fra1-a') ?? pid) !== pid)
    await eventually('its address is known', async () => {
      const appliance = (await appliances()).find(({ metadata }) => metadata.name === 'fra1-a')
      return (
        appliance?.status?.phase === 'Ready' &&
        (await fetch(`${appliance.status.addresses?.[0]?.url}/healthz`).catch(() => undefined))?.ok
      )
    })
    await checkContent()
  })

  test('a change of the origin reaches the appliances', async () => {
    files.set('new.txt', 'new')
    writeFileSync(join(tree, 'new.txt'), 'new')
    const env = { KUBECONFIG: 'data/kubeconfig' }
    const catalog = await get('catalog', 'library', '-o', 'jsonpath={.spec.source.url}')
    const manifest = `apiVersion: content.weir.dev/v1alpha1\nkind: Catalog\nmetadata: {name: library, namespace: quickstart}\nspec:\n  source: {url: "${catalog.stdout}"}\n  refreshInterval: 1s\n`
    expect((await weir(['apply', '-f', '-'], { cwd: folder.path, env, input: manifest })).stdout).toBe(
      'catalog.content.weir.dev/library configured\n',
    )
    await eventually('the new file is everywhere', async () => {
      const { stdout } = await get(
        'pp',
        'everywhere',
        '-o',
        'jsonpath={.status.filesPlaced} {.status.appliances.converged}',
      )
      return stdout === `${files.size} 6`
    })
    await checkContent()
  })

  test('killed with -9, its agents end too; the next one goes on where it was', async () => {
    running?.kill('SIGKILL')
    await done
    await eventually('the agents have ended', () => agents().size === 0)
    const said = await up()
    expect(said).toMatch(/^Applied .*: 12 objects$/m)
    await checkContent()
  })

  test('Ctrl-C stops everything, in order', async () => {
    running?.kill('SIGINT')
    const { code, stderr, stdout } = await done!
    expect(code).toBe(0)
    expect(stderr).toMatch(/\nStopping…\nStopped\.\n$/)
    // All were ready before the table was read; on a busy machine one may be asked for something else by then.
    expect(stdout).toMatch(/^NAME +SITE +PHASE +FILES .*\nams1-a +ams1 +(Ready|Filling) /)
    expect(agents().size).toBe(0)
  })
})
