import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { configMaps, coreEvents, type Resource } from '../../runtime/client/resource.ts'
import { Folder, finished, program, start, startTestServer, type TestServer, weir } from './harness.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

const root = join(import.meta.dirname, '../..')
const folder = new Folder()
const { promise: ready, resolve: isReady } = Promise.withResolvers<TestServer>()
beforeAll(async () => isReady(await startTestServer()))

afterAll(async () => {
  await (await ready)[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe('calling it', () => {
  test.concurrent.each<[string, string[], number, RegExp, RegExp]>([
    ['without anything', [], 0, /^Usage: weir <verb> \[flags\]/, /^$/],
    ['--help', ['--help'], 0, /^ {2}apply +make the server’s objects what the manifests say/m, /^$/],
    ['help of a verb', ['help', 'get'], 0, /^Usage: weir get TYPE[\s\S]*Examples:\n {2}weir get sites/, /^$/],
    ['--help of a verb', ['catalog', 'create', '--help'], 0, /--from-dir <folder>/, /^$/],
    ['an unknown verb', ['aply'], 2, /^$/, /unknown command 'aply'\n\(Did you mean apply\?\)/],
    [
      'flags before the verb',
      ['-n', 'x', '--kubeconfig=/nowhere/config', 'get', 'cm'],
      3,
      /^$/,
      /^error: cannot read kubeconfig/,
    ],
    ['an unknown flag before the verb', ['--outptu', 'x', 'get', 'cm'], 2, /^$/, /unknown option '--outptu'/],
    ['an unknown flag', ['get', '--outptu', 'x'], 2, /^$/, /unknown option '--outptu'\n\(Did you mean --output\?\)/],
    ['a flag without its argument', ['apply', '-f'], 2, /^$/, /argument missing/],
    [
      'a flag whose argument is none of the choices',
      ['delete', 'cm', 'a', '--cascade', 'x'],
      2,
      /^$/,
      /Allowed choices are background, foreground, orphan/,
    ],
    ['a number that is none', ['up', '--port', 'x'], 2, /^$/, /must be a whole number/],
    ['a verb that needs more', ['catalog'], 2, /^$/, /create/],
    ['version of this program', ['version', '--client'], 0, /^Client Version: v\d+\.\d+\.\d+\n$/, /^$/],
    ['version as JSON', ['version', '--client', '-o', 'json'], 0, /"gitVersion": "v/, /^$/],
    [
      'a kubeconfig that is not there',
      ['get', 'cm', '--kubeconfig', '/nowhere/config'],
      3,
      /^$/,
      /^error: cannot read kubeconfig \/nowhere\/config/,
    ],
    ['no kubeconfig at all', ['get', 'cm'], 3, /^$/, /^error: no kubeconfig: looked for /],
    [
      'completion for a shell that it does not know',
      ['completion', 'bsh'],
      2,
      /^$/,
      /bash, zsh or fish; did you mean "bash"\?/,
    ],
  ])('%s', async (_reason, args, code, stdout, stderr) => {
    const result = await weir(args, { cwd: folder.path })
    expect(result).toEqual({ code, stdout: expect.stringMatching(stdout), stderr: expect.stringMatching(stderr) })
    expect(result.stdout + result.stderr).not.toContain('\u001b')
  })

  test.concurrent('./.weir/kubeconfig is used when nothing else is named; $KUBECONFIG goes before it', async () => {
    const server = await ready
    using here = new Folder()
    mkdirSync(join(here.path, '.weir'))
    here.file('.weir/kubeconfig', readFileSync(server.kubeconfig))
    expect((await weir(['get', 'ns', 'default', '-o', 'name'], { cwd: here.path })).stdout).toBe('namespace/default\n')
    const other = here.file(
      'other',
      'apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: gone, user: u}}]\n',
    )
    const named = await weir(['get', 'ns'], { cwd: here.path, env: { KUBECONFIG: other } })
    expect([named.code, named.stderr]).toEqual([
      3,
      expect.stringContaining('cluster "gone" of context "x" does not exist'),
    ])
    const merged = await weir(['get', 'ns', 'default', '-o', 'name'], {
      cwd: here.path,
      env: { KUBECONFIG: `${server.kubeconfig}:${other}` },
    })
    expect(merged.stdout).toBe('namespace/default\n')
  })

  test.concurrent('a reader that goes away is no error, and what was begun is done', async () => {
    const server = await ready
    const file = folder.file(
      'epipe.yaml',
      Array.from({ length: 20 }, (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: epipe-${i}}\n`).join(
        '---\n',
      ),
    )
    const child = start(['apply', '-f', file], { env: { KUBECONFIG: server.kubeconfig } })
    child.stdout?.destroy()
    const { code, stderr } = await finished(child)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const made = await server.client.list(configMaps, { namespace: 'default' })
    expect(made.items.filter(({ metadata }) => metadata.name?.startsWith('epipe-'))).toHaveLength(20)
  })

  test.concurrent('an older Node hands over to the one that came with Weir', async () => {
    using here = new Folder()
    mkdirSync(join(here.path, 'cli'))
    symlinkSync(join(root, 'node_modules'), join(here.path, 'node_modules'))
    symlinkSync(join(root, 'cli/main.ts'), join(here.path, 'cli/main.ts'))
    const shim = readFileSync(join(root, 'cli/bin.js'), 'utf8')
    // The same shim, on a machine whose Node says that it is older.
    const pretended = shim.replace('process.versions.node.split', '"20.1.0".split')
    expect(pretended).not.toBe(shim)
    const path = here.file('cli/bin.mjs', pretended)
    const result = await program(process.execPath, [path, 'version', '--client'])
    expect(result).toEqual({ code: 0, stdout: expect.stringMatching(/^Client Version: v/), stderr: '' })
    expect((await program(process.execPath, [path, 'get', '-o'])).code).toBe(2)
  })

  test.concurrent('is started as a plugin of kubectl by the same shim', async () => {
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> }
    expect(bin['kubectl-weir']).toBe(bin.weir)
    const result = await program(process.execPath, [join(root, bin.weir!), 'version', '--client'])
    expect(result.code).toBe(0)
  })
})

describe('completion', () => {
  const complete = async (...words: string[]) =>
    (await (await ready).weir(['__complete', ...words])).stdout.split('\n').map((line) => line.split('\t')[0])

  test.concurrent.each<[string, string[], string[]]>([
    ['verbs', ['des'], ['describe', ':4', '']],
    ['verbs of a verb', ['catalog', ''], ['create', ':4', '']],
    ['kinds', ['get', 'appl'], ['appliances', ':4', '']],
    ['kinds of the server', ['get', 'namesp'], ['namespaces', ':4', '']],
    ['names', ['get', 'ns', 'kube-s'], ['kube-system', ':4', '']],
    ['names after a slash', ['describe', 'ns/kube-s'], ['ns/kube-system', ':4', '']],
    ['namespaces', ['get', 'cm', '-n', 'kube-p'], ['kube-public', ':4', '']],
    ['flags', ['delete', '--casc'], ['--cascade', ':4', '']],
    ['choices of a flag', ['delete', '--cascade', 'o'], ['orphan', ':4', '']],
    ['files', ['apply', '-f', ''], [':0', '']],
    ['kinds to write', ['new', 'a'], ['appliance', ':4', '']],
    ['kinds with a schema', ['schema', 'placementpl'], ['placementplan', ':4', '']],
    ['nothing after a kind to write', ['new', 'site', ''], [':4', '']],
    ['folders', ['init', ''], [':0', '']],
    ['shells', ['completion', 'z'], ['zsh', ':4', '']],
    ['what cannot be known', ['get', 'nonsense', ''], [':4', '']],
  ])('of %s', async (_reason, words, expected) => {
    let got = await complete(...words)
    // A server that takes longer than a person waits for is left out; that person presses the key again.
    for (const end = Date.now() + 30_000; !isDeepStrictEqual(got, expected) && Date.now() < end; )
      got = await complete(...words)
    expect(got).toEqual(expected)
  })

  test.concurrent('answers without a server', async () => {
    const { code, stdout } = await weir(['__complete', 'get', 'site'], { cwd: folder.path })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^sites\t.*\n:4\n$/)])
  })

  test.concurrent('the script for bash is one, and completes', async () => {
    const server = await ready
    const { stdout } = await weir(['completion', 'bash'])
    const path = folder.file('completion.bash', stdout)
    const node = process.execPath
    const script = `weir() { ${node} ${join(root, 'cli/main.ts')} "$@"; }; source ${path}; COMP_WORDS=(weir get appl); COMP_CWORD=2; _weir; echo "\${COMPREPLY[@]}"`
    expect(await program('bash', ['-c', script], { env: { KUBECONFIG: server.kubeconfig } })).toEqual({
      code: 0,
      stdout: 'appliances\n',
      stderr: '',
    })
  })
})

describe('explain, describe, events', () => {
  const run = async (...args: string[]) => (await ready).weir(args)

  test.concurrent('explain lists the kinds, and explains them without a server', async () => {
    const kinds = await weir(['explain'], { cwd: folder.path })
    expect(kinds.stdout).toMatch(
      /^NAME +SHORTNAMES +APIVERSION +KIND +MEANING\n[\s\S]*^sites +site +fleet\.weir\.dev\/v1alpha1 +Site /m,
    )
    const tier = await weir(['explain', 'site.spec.tier'], { cwd: folder.path })
    expect(tier.stdout).toMatch(
      /^GROUP: {6}fleet\.weir\.dev\nKIND: {7}Site\nVERSION: {4}v1alpha1\n\nFIELD: tier <string>\n\nDESCRIPTION:\n/,
    )
    expect(tier.stdout).toContain('    ENUM: edge, regional, origin\n    DEFAULT: "edge"\n    EXAMPLE: "edge"\n')
    const windows = await weir(['explain', 'sites.spec.fillWindows', '--recursive'], { cwd: folder.path })
    expect(windows.stdout).toMatch(/\nFIELDS:\n {2}days\t<\[\]string>\n {2}end\t<string> -required-\n/)
    const wrong = await weir(['explain', 'site.spec.teir'], { cwd: folder.path })
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'error: field "teir" does not exist in Site.spec; did you mean "tier"?\n',
    ])
  })

  test.concurrent('explain reads other kinds from the server', async () => {
    expect((await run('explain', 'cm.data')).stdout).toMatch(
      /^KIND: {7}ConfigMap\nVERSION: {4}v1\n\nFIELD: data <map\[string\]string>/,
    )
    expect((await run('explain', 'nothing')).code).toBe(2)
  })

  test.concurrent('describe site and appliance say what is waited for; anything else is shown field by field', async () => {
    const { client } = await ready
    const spec = 'spec: {country: DE, metro: Frankfurt, fillWindows: [{start: "02:00", end: "06:00", maxGbps: 4}]}'
    const manifest = `apiVersion: v1\nkind: Namespace\nmetadata: {name: shown}\n---\napiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: fra1, namespace: shown}\n${spec}\n---\napiVersion: fleet.weir.dev/v1alpha1\nkind: Appliance\nmetadata: {name: a, namespace: shown}\nspec: {siteRef: {name: fra1}, hardwareClassRef: {name: nope}}\n`
    expect((await (await ready).weir(['apply', '--no-wait', '-f', '-'], { input: manifest })).code).toBe(0)
    const { metadata } = await client.get(sites as unknown as Resource<KubeObject>, {
      namespace: 'shown',
      name: 'fra1',
    })
    const event = {
      reason: 'Tested',
      message: 'seen\u001b[31m',
      type: 'Normal',
      count: 3,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:10:00Z',
      source: { component: 'test' },
    }
    const involvedObject = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      name: 'fra1',
      namespace: 'shown',
      uid: metadata.uid,
    }
    await client.create(
      coreEvents as unknown as Resource<KubeObject>,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e1', namespace: 'shown' },
        involvedObject,
        ...event,
      } as unknown as KubeObject,
    )

    const site = (await run('describe', 'site', 'fra1', '-n', 'shown')).stdout
    expect(site).toMatch(/^Name: +fra1\nNamespace: +shown\n/)
    expect(site).toContain('Fills:        02:00–06:00 at 4 Gbps\n')
    expect(site).toMatch(
      /Events:\n {2}TYPE +REASON +AGE +FROM +MESSAGE\n {2}Normal +Tested +\S+ \(x3 over \S+\) +test +seen\^\[\[31m\n$/,
    )
    const appliance = (await run('describe', 'ap/a', '-n', 'shown')).stdout
    expect(appliance).toMatch(/^Site: +fra1 \(edge, Frankfurt, DE\)$/m)
    expect(appliance).toMatch(
      /^Converged: +no\nWaiting for:\n {2}- hardware class "nope", which does not exist\n {2}- the appliance controller/m,
    )
    const both = (await run('describe', 'ns', 'shown', 'default')).stdout
    expect(both.split('\n\n\n')).toHaveLength(2)
    expect((await run('describe', 'site', 'nope', '-n', 'shown')).code).toBe(3)

    const events = await run('events', '-n', 'shown', '--for', 'site/fra1')
    expect(events.stdout).toMatch(
      /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ \(x3 over \S+\) +Normal +Tested +Site\/fra1 +seen\^\[\[31m\n$/,
    )
    expect((await run('events', '-n', 'shown', '--types', 'Warning')).stderr).toBe(
      'No events found in shown namespace.\n',
    )
    expect((await run('events', '--types', 'Bad')).code).toBe(2)
  })

  test.concurrent('describe shows no value of a Secret', async () => {
    await (await ready).weir(['apply', '-f', '-'], {
      input: 'apiVersion: v1\nkind: Secret\nmetadata: {name: hush}\nstringData: {key: hunter2}\n',
    })
    const { stdout } = await run('describe', 'secret', 'hush')
    expect(stdout).toMatch(/key: +7 bytes/i)
    expect(stdout).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 8))
  })
})

describe('validate', () => {
  test.concurrent('finds everything at once without a server, and is content with the example', async () => {
    const good = await weir(['validate', '-f', join(root, 'examples/quickstart')], { cwd: folder.path })
    expect(good).toEqual({ code: 0, stdout: '', stderr: expect.stringMatching(/^\d+ objects are valid\n$/) })
    const input =
      'apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: s}\nspec:\n  contry: DE\n  metro: [x]\n---\nnot: an object\n'
    const bad = await weir(['validate', '-f', '-'], { cwd: folder.path, input })
    expect(bad.code).toBe(2)
    expect(
      bad.stdout.match(/^<stdin>:\d+:\d+: error: .*$/gm)?.map((line) => line.replace(/(: Invalid value).*/, '$1')),
    ).toEqual([
      '<stdin>:4:1: error: spec.country: Required value',
      '<stdin>:5:3: error: spec.contry: unknown field; did you mean "country"?',
      '<stdin>:6:10: error: spec.metro: Invalid value',
      '<stdin>:8:1: error: apiVersion is missing',
      '<stdin>:8:1: error: kind is missing',
    ])
    expect(bad.stderr).toMatch(/^5 errors in 1 object of 1 file\n/)
  })
})
