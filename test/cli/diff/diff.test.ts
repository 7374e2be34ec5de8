import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { sites } from '../../../controllers/resources.ts'
import { ApiProxy, type ApiProxyOptions } from '../../kube/api-proxy.ts'
import { untilAllowed } from '../../kube/until-allowed.ts'
import { type Result, type RunOptions, weir } from '../harness.ts'
import { inProcess } from '../in-process.ts'
import { suite } from '../suite.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

const shared = suite()
const { folder } = shared

const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
const site = (name: string, ns: string, spec = '{country: DE, metro: FRA}') =>
  `apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: ${name}, namespace: ${ns}}\nspec: ${spec}\n`
const config = (name: string, ns: string, data = '{a: "1"}', more = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${ns}${more}}\ndata: ${data}\n`
const secret = (name: string, ns: string, value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${ns}}\nstringData: {password: ${value}}\n`
const all = (...documents: string[]) => documents.join('---\n')

const here = (args: readonly string[], options: RunOptions = {}) =>
  inProcess(args, { ...options, env: { KUBECONFIG: shared.server.kubeconfig, ...options.env } })
const diff = (input: string, ...args: string[]) => here(['diff', '-f', '-', ...args], { input })
async function applied(...documents: string[]): Promise<void> {
  const { code, stderr } = await here(['apply', '-f', '-', '--no-wait'], { input: all(...documents) })
  expect([code, stderr]).toEqual([0, ''])
}

/** Runs the program against a door before the server; says what was asked for. */
async function through(
  options: Omit<ApiProxyOptions, 'kubeconfigPath'>,
  run: (door: { diff(input: string, ...args: string[]): Promise<Result & { asked: string[] }> }) => Promise<void>,
  program = inProcess,
): Promise<void> {
  await using proxy = await ApiProxy.start({ kubeconfigPath: shared.server.kubeconfig, ...options })
  const home = join(folder.path, `home-${Math.random()}`)
  mkdirSync(home)
  const KUBECONFIG = proxy.writeKubeconfig(join(home, 'kubeconfig'))
  await run({
    async diff(input, ...args) {
      const from = proxy.seen.length
      const result = await program(['diff', '-f', '-', ...args], { input, env: { KUBECONFIG, HOME: home } })
      const asked = proxy.seen.slice(from).map(({ verb, group, resource, path }) => {
        return resource === '' ? path.replace(/\?.*/, '') : `${verb} ${resource}${group === '' ? '' : `.${group}`}`
      })
      return { ...result, asked }
    },
  })
}

/** Of other servers than ours it asks other things. */
const ofOurs = process.env.WEIR_TEST_KUBECONFIG === undefined ? describe : describe.skip

ofOurs('what it asks the server for', () => {
  const names = Array.from({ length: 40 }, (_, i) => `c${i}`)
  const set = (value: string) =>
    all(...names.map((name) => config(name, 'asked', `{a: "${value}"}`)), ...['s1', 's2'].map((n) => site(n, 'asked')))
  beforeAll(() => applied(namespace('asked'), set('1')))

  test('one batch, and what it serves only once', async () => {
    await through(
      {},
      async (door) => {
        const first = await door.diff(set('2'))
        expect(first).toMatchObject({ code: 1, stderr: '' })
        expect(first.stdout.match(/^\+\+\+ /gm)).toHaveLength(40)
        expect(first.asked.sort()).toEqual(['/api', '/apis', '/weir/v1/batch'])
        expect((await door.diff(set('1'))).asked).toEqual(['/weir/v1/batch'])
        // What is not known to be served is asked for again.
        const unknown = await door.diff('apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: a}\n')
        expect([unknown.code, unknown.asked.sort()]).toEqual([2, ['/api', '/apis']])
      },
      weir,
    )
  })

  test('of any other server one list per type and namespace, and a dry run for each object', async () => {
    const batched = await diff(set('2'))
    await through({ withoutHeaders: ['weir-batch'] }, async (door) => {
      const { asked, ...single } = await door.diff(set('2'))
      expect(single).toEqual(batched)
      const counts = Object.fromEntries([...Map.groupBy(asked, (of) => of)].map(([of, each]) => [of, each.length]))
      expect(counts).toEqual({
        '/api': 1,
        '/apis': 1,
        'list configmaps': 1,
        'list sites.fleet.weir.dev': 1,
        'patch configmaps': 40,
        'patch sites.fleet.weir.dev': 2,
      })
    })
  })

  test('of a server that takes no batches any more, one by one', async () => {
    await using other = await ApiProxy.start({ kubeconfigPath: shared.server.kubeconfig })
    other.fault = ({ path }) =>
      path.startsWith('/weir/') ? { type: 'answer', status: 404, reason: 'NotFound' } : undefined
    const KUBECONFIG = other.writeKubeconfig(join(folder.path, 'gone'))
    const result = await inProcess(['diff', '-f', '-'], { input: set('2'), env: { KUBECONFIG } })
    expect([result.code, result.stderr, result.stdout.match(/^\+\+\+ /gm)?.length]).toEqual([1, '', 40])
  })

  test('what is to be made in a namespace of the same set is tried in another, in a second batch', async () => {
    // Of this name there is one in every namespace.
    const taken = config('kube-root-ca.crt', 'fresh-ns')
    const fresh = all(namespace('fresh-ns'), config('a', 'fresh-ns'), site('s', 'fresh-ns'), taken)
    await through({}, async (door) => {
      const made = await door.diff(fresh, '--show=all')
      expect([made.code, made.stderr]).toEqual([1, ''])
      expect(made.stdout).toMatch(/# spec\.tier +defaulted +- → edge\n/)
      expect(made.stdout).not.toContain('default\n')
      expect(made.stdout).toMatch(/\+ {2}name: kube-root-ca\.crt\n\+ {2}namespace: fresh-ns\n/)
      expect(made.asked.filter((what) => what === '/weir/v1/batch')).toHaveLength(2)
      expect(made.asked.filter((what) => what === 'create configmaps')).toHaveLength(2)
      const wrong = await door.diff(all(fresh, config('Upper_Case', 'fresh-ns')))
      expect([wrong.code, wrong.stdout]).toEqual([2, ''])
      expect(wrong.stderr).toContain('Upper_Case')
    })
  })

  test('more than a batch holds goes into several', async () => {
    const many = all(...Array.from({ length: 700 }, (_, i) => config(`many${i}`, 'asked')))
    await through({}, async (door) => {
      const { code, stdout, asked } = await door.diff(many, '-o', 'name')
      expect([code, stdout.split('\n').length - 1]).toEqual([1, 700])
      expect(asked.filter((path) => path === '/weir/v1/batch')).toHaveLength(2)
    })
  })
})

describe('who may only read', () => {
  const before = all(
    namespace('reader'),
    config('c', 'reader', '{a: "1", gone: "1"}'),
    site('s', 'reader', '{country: DE, metro: FRA, tier: regional}'),
  )
  const after = all(
    config('c', 'reader', '{a: "2"}'),
    config('new', 'reader'),
    site('s', 'reader', '{country: FR, metro: FRA}'),
  )
  const viewer = { impersonate: { user: 'vera', groups: ['viewers', 'system:authenticated'] } }
  beforeAll(async () => {
    await applied(before)
    const rbac = 'apiVersion: rbac.authorization.k8s.io/v1\nkind:'
    await applied(
      `${rbac} ClusterRole\nmetadata: {name: diff-viewers}\nrules: [{apiGroups: ["", fleet.weir.dev], resources: [configmaps, sites], verbs: [get, list]}]\n`,
      `${rbac} ClusterRoleBinding\nmetadata: {name: diff-viewers}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: diff-viewers}\nsubjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: viewers}]\n`,
    )
    const rule = { apiGroups: ['', 'fleet.weir.dev'], resources: ['configmaps', 'sites'], verbs: ['get', 'list'] }
    await untilAllowed(shared.server.client, viewer.impersonate, [rule])
  })

  test('sees what who may write sees, and is told whose merge it is', async () => {
    const admin = await diff(after)
    expect(admin.stdout).toMatch(/-\s+gone: "1"/)
    expect(admin.stdout).toMatch(/-\s+tier: regional\n\+\s+tier: edge/)
    await through(viewer, async (door) => {
      const { code, stdout, stderr } = await door.diff(after)
      expect(stdout).toBe(admin.stdout)
      expect(code).toBe(1)
      expect(stderr).toBe(
        'note: you may not apply configmaps in namespace "reader", sites.fleet.weir.dev in namespace "reader": merged here instead, without the server\'s admission and defaults of built-in kinds\n',
      )
      const { changes } = JSON.parse((await door.diff(after, '-o', 'json')).stdout) as { changes: { source: string }[] }
      expect(changes.map(({ source }) => source)).toEqual(['local', 'local', 'local'])
    })
  })

  test('hears of conflicts, and of what does not fit, all the same', async () => {
    await shared.server.client.patch(
      sites,
      { namespace: 'reader', name: 's' },
      { type: 'merge', merge: { metadata: { labels: { theirs: 'yes' } } } },
      { fieldManager: 'alice' },
    )
    const labelled = site('s', 'reader').replace('namespace: reader', 'namespace: reader, labels: {theirs: "no"}')
    await through({ ...viewer, withoutHeaders: ['weir-batch'] }, async (door) => {
      const conflict = await door.diff(labelled)
      expect([conflict.code, conflict.stdout]).toEqual([4, ''])
      expect(conflict.stderr).toContain('conflict with "alice"')
      const taken = await door.diff(labelled, '--force-conflicts=.metadata.labels.theirs')
      expect([taken.code, taken.stdout.includes('+    theirs: "no"')]).toEqual([1, true])
    })
  })

  test('who may not even read is refused: exit 3', async () => {
    await through({ impersonate: { user: 'nobody', groups: ['system:authenticated'] } }, async (door) => {
      const { code, stdout, stderr } = await door.diff(after)
      expect([code, stdout]).toEqual([3, ''])
      expect(stderr).toContain('User "nobody" cannot')
    })
  })
})

describe('a definition and its objects in one set', () => {
  const definition = (properties: string) =>
    `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: ${properties}}}}}
`
  const gadget = (spec: string) =>
    `apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g, namespace: default}\nspec: ${spec}\n`
  const first = '{size: {type: integer, default: 3}, colour: {type: string}}'
  const second = '{size: {type: integer, default: 3}, colour: {type: string}, weight: {type: integer}}'

  test('neither there yet; then an object that needs what the set adds to its definition', async () => {
    const fresh = await diff(all(gadget('{colour: red}'), definition(first)), '--show=all')
    expect([fresh.code, fresh.stderr]).toEqual([1, ''])
    expect(fresh.stdout).toMatch(
      /\+\+\+ merged\/apiextensions[\s\S]*\+\+\+ merged\/example.com.v1.Gadget.default.g\n[\s\S]*\+ {2}size: 3/,
    )
    expect(fresh.stdout).toMatch(/# spec.size +defaulted +- → 3\n/)

    await applied(definition(first), gadget('{colour: red}'))
    const grown = await diff(all(gadget('{colour: red, weight: 7}'), definition(second)))
    expect([grown.code, grown.stderr]).toEqual([1, ''])
    expect(grown.stdout).toMatch(/Gadget.default.g\n@@ .*\n[^@]*\+ {2}weight: 7\n/)
    const alone = await diff(gadget('{colour: red, weight: 7}'))
    expect([alone.code, alone.stdout]).toEqual([2, ''])
    expect(alone.stderr).toContain('spec.weight')
  })
})

describe('how it is told', () => {
  const before = all(
    namespace('told'),
    site('s', 'told', '{country: DE, metro: FRA, tier: edge}'),
    secret('x', 'told', 'hunter2'),
    config('same', 'told'),
  )
  const file = all(
    site('s', 'told', '{country: FR, metro: FRA, tier: edge}'),
    config('new', 'told', '{esc: "\\e[31mred"}'),
    secret('x', 'told', 'correct-horse'),
    config('same', 'told'),
  )
  let path: string
  beforeAll(async () => {
    await applied(before)
    path = folder.file('told.yaml', file)
  })
  const told = (...args: string[]) => here(['diff', '-f', 'told.yaml', ...args], { cwd: folder.path })
  const program = (...args: string[]) => shared.server.weir(['diff', '-f', 'told.yaml', ...args], { cwd: folder.path })

  test('in each format, masked, with 1; every JSON and YAML parses alone', async () => {
    expect(readFileSync(path, 'utf8')).toContain('\\e[31m')
    const results = await Promise.all(
      ['text', 'stat', 'name', 'json', 'yaml', 'markdown', 'github'].map(
        async (format) => [format, await (['text', 'json'].includes(format) ? program : told)('-o', format)] as const,
      ),
    )
    for (const [format, { code, stdout, stderr }] of results) {
      expect([format, code, stderr]).toEqual([format, 1, ''])
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
      expect(stdout).not.toMatch(/\u001b/)
      for (const text of ['hunter2', 'correct-horse'].flatMap((value) => [
        value,
        Buffer.from(value).toString('base64'),
      ]))
        expect(stdout).not.toContain(text)
    }
    const { text, stat, name, json, yaml, markdown, github } = Object.fromEntries(
      results.map(([format, { stdout }]) => [format, stdout]),
    ) as Record<string, string>
    expect(text).toMatch(/-\s+country: DE\n\+\s+country: FR\n/)
    expect(stat).toBe(
      ' told configmap/new         | 7 +++++++\n told secret/x              | 2 +-\n told site.fleet.weir.dev/s | 2 +-\n 1 to create, 2 to change, 1 unchanged\n',
    )
    expect(name).toBe('configmap/new\nsecret/x\nsite.fleet.weir.dev/s\n')
    expect(parse(yaml!)).toEqual(JSON.parse(json!))
    const document = JSON.parse(json!) as { summary: object; changes: readonly object[] }
    expect(document.summary).toEqual({ create: 1, update: 2, prune: 0, unchanged: 1, orphansKept: 0 })
    expect(document.changes.at(-1)).toMatchObject({
      action: 'update',
      object: { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', namespace: 'told', name: 's' },
      manifest: { file: 'told.yaml', line: 1, column: 1 },
      source: 'server',
      fields: [
        {
          path: 'spec.country',
          class: 'yours',
          before: 'DE',
          after: 'FR',
          manifest: { file: 'told.yaml', line: 4, column: 17 },
        },
      ],
      before: { spec: { country: 'DE' } },
      after: { spec: { country: 'FR' } },
    })
    expect(markdown).toContain('### weir diff: 1 to create, 2 to change, 1 unchanged')
    expect(markdown!.match(/<details>/g)).toHaveLength(3)
    expect(github).toContain(
      '::notice file=told.yaml,line=4,col=17,title=site.fleet.weir.dev/s in told changes::spec.country: DE → FR\n',
    )
  })

  test('no difference: nothing at all, but a document or a comment that says so', async () => {
    const same = (...args: string[]) => diff(before, ...args)
    const results = await Promise.all(['text', 'stat', 'name', 'github', 'markdown', 'json'].map((o) => same('-o', o)))
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, '']))
    expect(results.slice(0, 4).map(({ stdout }) => stdout)).toEqual(['', '', '', ''])
    expect(results[4]!.stdout).toContain('no differences')
    expect(JSON.parse(results[5]!.stdout)).toMatchObject({ summary: { update: 0, unchanged: 4 }, changes: [] })
  })

  test('all: what the server fills in, and what others own and would keep', async () => {
    await shared.server.client.patch(
      sites,
      { namespace: 'told', name: 's' },
      { type: 'merge', merge: { metadata: { labels: { theirs: 'yes' } } } },
      { fieldManager: 'alice' },
    )
    const { stdout } = await diff(
      all(site('s', 'told', '{country: FR, metro: FRA}'), site('fresh', 'told')),
      '--show=all',
    )
    expect(stdout).toMatch(/# spec\.country +yours +DE → FR +<stdin>:4:17\n/)
    expect(stdout).toMatch(/# metadata\.labels\.theirs +foreign\(alice\) +kept: yes\n/)
    expect(stdout).toMatch(/# spec\.tier +defaulted +- → edge\n/)
    const yours = await diff(site('fresh', 'told'))
    expect(yours.stdout).not.toContain('tier')
  })

  test('by another program, which sees no secret either', async () => {
    const flag = await program('--external-diff', 'diff -r -N')
    expect([flag.code, flag.stderr]).toEqual([1, ''])
    expect(flag.stdout).toMatch(/diff -r -N \S*LIVE-\w+\/fleet.weir.dev.v1alpha1.Site.told.s \S*MERGED-\w+\//)
    expect(flag.stdout).toContain('> ' + '  country: FR')
    expect(flag.stdout).not.toMatch(/hunter2|correct-horse/)
    const options: RunOptions = { cwd: folder.path, env: { KUBECTL_EXTERNAL_DIFF: 'diff -q -r --$(reboot)' } }
    const env = await here(['diff', '-f', 'told.yaml', '--exit-code=false'], options)
    expect([env.code, env.stdout.match(/^Files .* differ$/gm)?.length]).toEqual([0, 2])
    const none = await told('--external-diff', 'no-such-program')
    expect([none.code, none.stdout, none.stderr]).toEqual([
      2,
      '',
      'error: cannot run no-such-program: spawn no-such-program ENOENT\n',
    ])
  })

  test.each<[string, string[], number, string]>([
    [
      'a format that is none',
      ['-o', 'wide'],
      2,
      'error: diff prints text, stat, name, json, yaml, markdown, github, not "wide"\n',
    ],
    ['a class that is none', ['--show=mine'], 2, 'error: --show is yours or all, not "mine"\n'],
    [
      'pruning without a set',
      ['--prune'],
      2,
      'error: --prune needs --applyset: the set that says what was applied before\n',
    ],
    ['a flag without its argument', ['-o'], 2, "error: option '-o, --output <format>' argument missing\n"],
    [
      'no server',
      ['--server', 'http://127.0.0.1:1'],
      3,
      'error: cannot reach http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1. Is it running?',
    ],
    [
      'no server, where only differences are forgiven',
      ['--server', 'http://127.0.0.1:1', '--exit-code=false'],
      3,
      'error: cannot reach',
    ],
  ])('%s', async (_reason, args, code, says) => {
    const result = await told(...args)
    expect([result.code, result.stdout]).toEqual([code, ''])
    expect(result.stderr.startsWith(says)).toBe(true)
  })
})

describe('orphans of a set', () => {
  const set = ['--applyset=orphans', '-n', 'orphans']
  const keep = config('keep', 'orphans', '{a: "1"}', ', annotations: {weir.dev/prune: disabled}')

  test('are deletions with --prune, masked; else, and where they are to stay, told beside it with the reason', async () => {
    await applied(namespace('orphans'))
    const first = all(config('stay', 'orphans'), secret('goes', 'orphans', 'hunter2hunter2'), keep)
    const made = await here(['apply', '-f', '-', '--no-wait', ...set], { input: first })
    expect([made.code, made.stderr]).toEqual([0, ''])
    const left = config('stay', 'orphans')

    const told = await diff(left, ...set)
    expect([told.code, told.stdout]).toEqual([0, ''])
    expect(told.stderr.split('\n').sort()).toEqual([
      '',
      'note: configmap/keep is not in the manifests and is kept: it has the annotation weir.dev/prune: disabled',
      'note: secret/goes is not in the manifests and is kept: it would be pruned with --prune',
    ])

    const formats = ['text', 'stat', 'name', 'json', 'yaml', 'markdown', 'github']
    const program = (format: string) =>
      shared.server.weir(['diff', '-f', '-', ...set, '--prune', '-o', format], { input: left })
    const results = await Promise.all(
      formats.map((format) => (format === 'text' ? program(format) : diff(left, ...set, '--prune', '-o', format))),
    )
    const base64 = Buffer.from('hunter2hunter2').toString('base64')
    for (const { code, stdout, stderr } of results) {
      expect(code).toBe(1)
      expect(stdout).toContain('goes')
      for (const value of ['hunter2', base64, base64.replace(/=+$/, '')]) expect(stdout + stderr).not.toContain(value)
    }
    expect(results[0]!.stdout).toMatch(/^--- live\/v1\.Secret\.orphans\.goes\n\+\+\+ \/dev\/null\n@@ -1,\d+ \+0,0 @@\n/)
    expect(JSON.parse(results[3]!.stdout)).toMatchObject({
      summary: { prune: 1, unchanged: 1, orphansKept: 1 },
      changes: [{ action: 'prune', after: null }],
      orphansKept: [{ object: { name: 'keep' }, reason: 'has the annotation weir.dev/prune: disabled' }],
    })
    expect(results[6]!.stdout).toContain('::warning title=1 to prune::secret/goes in orphans is pruned\n')
  })
})

test('what is wrong with a Secret is told without what is in it', async () => {
  await applied(namespace('wrong'))
  const manifests: [string, string][] = [
    ['{pin: 1234567}', 'data.pin'],
    ['{password: "not base64: hunter2!"}', 'base64'],
    ['{password: aHVudGVyMjE=, password: aHVudGVyMjE=}', 'there twice'],
  ]
  const results = await Promise.all(
    manifests.map(([data]) =>
      diff(`apiVersion: v1\nkind: Secret\nmetadata: {name: w, namespace: wrong}\ndata: ${data}\n`),
    ),
  )
  results.forEach(({ code, stdout, stderr }, index) => {
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(manifests[index]![1])
    expect(stderr).not.toMatch(/1234567|hunter2|aHVudGVy/)
  })
})
