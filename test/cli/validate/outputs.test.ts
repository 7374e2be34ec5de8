import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { Folder, weir } from '../harness.ts'
import { inProcess } from '../in-process.ts'

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())

const SITE = 'apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\n'
/** Of everything that can be told: an error with a suggestion, one of two places, a warning, a note, files that cannot be read, odd names. */
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'a b/sites,1%.yaml': `${SITE}metadata: {name: fra1}\nspec:\n  contry: DE\n  country: DE\n  metro: "日本 \\e[31m \\u0008 <&> 100%: x, y\\r"\n  tier: edgy\n`,
  'good.yaml': `${SITE}metadata: {name: ams1, namespace: b}\nspec: {country: NL, metro: ams, parents: [{name: hub}]}\n`,
  'twice.yaml': `${SITE}metadata: {name: ams1, namespace: b}\nspec: {country: NL, metro: ams}\n`,
  'other.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n',
  'binary.yaml': Buffer.from([0, 1, 2, 3]),
  'kustomization.yaml': 'resources: [good.yaml]\n',
  'list.yaml': '- 1\n',
}

beforeAll(() => {
  mkdirSync(join(folder.path, 'a b'))
  for (const [name, content] of Object.entries(FILES)) folder.file(name, content)
})

const validate = (output: string, ...flags: string[]) =>
  inProcess(['validate', '-R', '-f', '.', '-o', output, ...flags], { cwd: folder.path })

describe('outputs', () => {
  test('text: errors and warnings on stdout, notes and the sum on stderr', async () => {
    const { code, stdout, stderr } = await validate('text')
    expect(code).toBe(2)
    expect(stdout.split('\n').filter((line) => /^\S+.*: (error|warning|note): /.test(line))).toEqual([
      'a b/sites,1%.yaml:5:3: error: spec.contry: unknown field; did you mean "country"?',
      'a b/sites,1%.yaml:8:9: error: spec.tier: Unsupported value: "edgy": supported values: "edge", "regional", "origin"; did you mean "edge"?',
      'binary.yaml: error: is a binary file, not YAML or JSON',
      'good.yaml:4:50: warning: spec.parents[0].name: Site "hub" in namespace "b" is not in this set [parent-not-found]',
      'list.yaml:1:1: error: a list stands here, where a Kubernetes object should',
      'twice.yaml:3:18: error: Site "ams1" is there twice, first at good.yaml:3:18',
      'good.yaml:3:18: note: the first one is here',
    ])
    expect(stderr).toBe(
      '5 errors and 1 warning in 4 objects of 7 files\nvalidation rules that look at what is wrong were not run: of 1 object\n',
    )
  })

  test('json: one document of the form that is documented', async () => {
    const { code, stdout } = await validate('json')
    expect(code).toBe(2)
    const report = JSON.parse(stdout) as { valid: boolean; summary: object; problems: object[] }
    expect(report.valid).toBe(false)
    expect(report.summary).toEqual({
      files: 7,
      objects: 4,
      checked: 3,
      errors: 5,
      warnings: 1,
      notes: 2,
      objectsWithRulesNotRun: 1,
    })
    expect(report.problems[0]).toEqual({
      rule: 'unknown-field',
      severity: 'error',
      message: 'unknown field; did you mean "country"?',
      file: 'a b/sites,1%.yaml',
      line: 5,
      column: 3,
      endColumn: 9,
      text: '  contry: DE',
      field: 'spec.contry',
      object: { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', name: 'fra1' },
      suggestion: 'country',
    })
    expect(report.problems).toContainEqual({
      rule: 'unreadable',
      severity: 'error',
      message: 'is a binary file, not YAML or JSON',
      file: 'binary.yaml',
    })
    expect(report.problems.at(-1)).toMatchObject({
      rule: 'duplicate',
      related: [{ message: 'the first one is here', file: 'good.yaml', line: 3, column: 18 }],
    })
    const fine = await inProcess(['validate', '-f', 'good.yaml', '-o', 'json', '--ignore', 'parent-not-found'], {
      cwd: folder.path,
    })
    expect({ code: fine.code, report: JSON.parse(fine.stdout) as object }).toEqual({
      code: 0,
      report: { valid: true, summary: expect.objectContaining({ objects: 1, errors: 0 }), problems: [] },
    })
  })

  test('sarif: as its schema wants it, with places, fixes and fingerprints', async () => {
    const { code, stdout } = await validate('sarif')
    expect(code).toBe(2)
    const log = JSON.parse(stdout) as SarifLog
    // Of OASIS, as SchemaStore publishes it (Apache-2.0).
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'sarif-schema-2.1.0.json'), 'utf8')) as object
    const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false })
    const check = ajv.compile(schema)
    expect({ ok: check(log), errors: check.errors }).toEqual({ ok: true, errors: null })
    const [run] = log.runs
    const { results, tool } = run!
    expect(results.every(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId)).toBe(true)
    expect(results[0]).toMatchObject({
      ruleId: 'unknown-field',
      level: 'error',
      message: { text: 'spec.contry: unknown field; did you mean "country"?' },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'a%20b/sites%2C1%25.yaml', uriBaseId: '%SRCROOT%' },
            region: { startLine: 5, startColumn: 3, endLine: 5, endColumn: 9, snippet: { text: '  contry: DE' } },
          },
          logicalLocations: [{ fullyQualifiedName: 'Site fra1 spec.contry' }],
        },
      ],
      fixes: [{ artifactChanges: [{ replacements: [{ insertedContent: { text: 'country' } }] }] }],
    })
    const prints = results.map((result) => result.partialFingerprints['weirProblem/v1'])
    expect(new Set(prints).size).toBe(results.length)
    // What is not a file in the folder has a URI too.
    const stdin = await inProcess(['validate', '-f', '-', '-o', 'sarif'], { cwd: folder.path, input: '- 1\n' })
    const fromStdin = JSON.parse(stdin.stdout) as SarifLog
    expect(check(fromStdin)).toBe(true)
    expect(fromStdin.runs[0]?.results[0]?.message.text).toContain('(<stdin>:1:1)')
  })

  test('junit: well-formed, with a case for each object, whatever the files say', async () => {
    const { code, stdout } = await validate('junit')
    expect(code).toBe(2)
    const elements = xmlElements(stdout)
    expect(elements[0]).toEqual({
      name: 'testsuites',
      attributes: { name: 'weir validate', tests: '7', failures: '2', errors: '2', skipped: '2', time: '0' },
    })
    expect(elements.filter(({ name }) => name === 'testcase').map(({ attributes }) => attributes)).toEqual([
      { name: 'fleet.weir.dev/v1alpha1 Site fra1', classname: 'a b/sites,1%.yaml', time: '0' },
      { name: 'the file as a whole', classname: 'binary.yaml', time: '0' },
      { name: 'fleet.weir.dev/v1alpha1 Site b/ams1', classname: 'good.yaml', time: '0' },
      { name: 'the file as a whole', classname: 'kustomization.yaml', time: '0' },
      { name: 'the file as a whole', classname: 'list.yaml', time: '0' },
      { name: 'apps/v1 Deployment d', classname: 'other.yaml', time: '0' },
      { name: 'fleet.weir.dev/v1alpha1 Site b/ams1', classname: 'twice.yaml', time: '0' },
    ])
    expect(elements.find(({ name }) => name === 'failure')?.attributes).toEqual({
      message: 'spec.contry: unknown field; did you mean "country"? (and 1 more)',
      type: 'unknown-field',
    })
  })

  test('github: commands that annotate lines, with what would end them escaped', async () => {
    const { code, stdout } = await inProcess(['validate', '-R', '-f', '.', '-o', 'github'], {
      cwd: join(folder.path, 'a b'),
      env: { GITHUB_WORKSPACE: folder.path },
    })
    expect(code).toBe(2)
    expect(stdout).toBe(
      [
        '::error file=a b/sites%2C1%25.yaml,line=5,endLine=5,col=3,endColumn=9,title=unknown-field::spec.contry: unknown field; did you mean "country"?',
        '::error file=a b/sites%2C1%25.yaml,line=8,endLine=8,col=9,endColumn=13,title=invalid::spec.tier: Unsupported value: "edgy": supported values: "edge", "regional", "origin"; did you mean "edge"?',
        '',
      ].join('\n'),
    )
    const whole = await validate('github')
    expect(whole.stdout).toContain('::error file=binary.yaml,title=unreadable::is a binary file, not YAML or JSON\n')
    expect(whole.stdout).toContain('%0Athe first one is here: good.yaml:3:18\n')
    expect(whole.stdout).toContain('::notice file=other.yaml,line=2,')
    const stdin = await inProcess(['validate', '-f', '-', '-o', 'github'], { input: '- 1\n' })
    expect(stdin.stdout).toBe(
      '::error title=not-an-object::<stdin>:1:1: a list stands here, where a Kubernetes object should\n',
    )
  })

  test('the real program: the same exit code, data on stdout, no escape sequences', async () => {
    const env = { FORCE_COLOR: '1', TERM: 'xterm-256color' }
    const { code, stdout, stderr } = await weir(['validate', '-R', '-f', '.', '-o', 'json'], { cwd: folder.path, env })
    expect({ code, problems: (JSON.parse(stdout) as { problems: object[] }).problems.length }).toEqual({
      code: 2,
      problems: 8,
    })
    expect(stderr).toMatch(/^5 errors and 1 warning/)
    const text = await validate('text')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may come out
    expect(stdout + stderr + text.stdout + text.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  })

  test('an output that there is not', async () => {
    const { code, stderr } = await validate('jsn')
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'error: there is no output format "jsn" (there are text, json, junit, sarif, github); did you mean "json"?\n',
    })
  })
})

interface SarifLog {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly message: { readonly text: string }
      readonly partialFingerprints: Readonly<Record<string, string>>
    }[]
  }[]
}

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

/** The elements of XML 1.0 without a DTD, in order. Throws where the text is not well-formed, as far as that can be for what we write. */
function xmlElements(xml: string): Element[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these may not be in XML, not even escaped
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml))
    throw new Error('a character that XML cannot carry')
  if (!xml.isWellFormed()) throw new Error('half a surrogate pair')
  const elements: Element[] = []
  const open: string[] = []
  let rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '')
  while (rest !== '') {
    const token =
      /^<(\/?)([a-z-]+)((?: [a-z]+="(?:[^<&"\n]|&(?:amp|lt|gt|quot|#10);)*")*)(\/?)>/.exec(rest) ??
      /^(?:[^<&>]|&(?:amp|lt|gt);)+/.exec(rest)
    if (!token) throw new Error(`not XML: ${rest.slice(0, 80)}`)
    rest = rest.slice(token[0].length)
    const [, closes, name, attributes, empty] = token
    if (name === undefined) continue
    if (closes) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`)
      continue
    }
    if (!empty) open.push(name)
    const pairs = [...(attributes ?? '').matchAll(/ ([a-z]+)="([^"]*)"/g)]
    elements.push({ name, attributes: Object.fromEntries(pairs.map(([, key, value]) => [key, unescaped(value!)])) })
  }
  if (open.length > 0) throw new Error(`<${open.join('><')}> not closed`)
  return elements
}

const unescaped = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#10);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? '\n',
  )
