import { expect, test } from '@jest/globals'
import { maskProblems, maskText } from '../../../cli/changes/mask-problems.ts'
import { parseManifests } from '../../../cli/manifests/manifest.ts'
import { renderProblem } from '../../../cli/manifests/problem.ts'
import { SourceText } from '../../../cli/manifests/source-text.ts'

const SECRET = /hunter2|aHVudGVyMg/
const base64 = Buffer.from('hunter2').toString('base64')

test.each<[string, string]>([
  ['a plain value', 'data:\n  p: hunter2'],
  ['a flow map', `data: {p: ${base64}, q: x}`],
  ['a text of several lines', 'stringData:\n  p: |\n    hunter2\n    again'],
  ['a value behind an alias', `data:\n  p: &p ${base64}\n  q: *p`],
  ['the whole field is no map', `data: ${base64}`],
  [
    'what kubectl keeps',
    `metadata:\n  name: s\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"p":"${base64}"}}'`,
  ],
])('%s is starred out wherever the problem is, and offsets stay', (_reason, fields) => {
  const named = fields.startsWith('metadata') ? fields : `metadata: {name: s}\n${fields}`
  const text = `apiVersion: v1\nkind: Secret\n${named}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {open: yes}\n`
  const { manifests } = parseManifests(new SourceText('s.yaml', text))
  const [secret, config] = manifests
  expect(manifests).toHaveLength(2)
  const source = (manifest: typeof secret, path: string[]) =>
    manifest!.problem('invalid', path, 'value', `odd: ${fields.includes('|') ? 'hunter2\nagain\n' : base64}`)
  for (let offset = 0; offset < text.length; offset += 3) {
    const problem = { ...source(secret, []), at: { ...source(secret, []).at!, start: offset, end: offset + 1 } }
    const [masked] = maskProblems([problem], manifests)
    expect(renderProblem(masked!)).not.toMatch(SECRET)
    expect(masked!.at!.source.text).toHaveLength(text.length)
  }
  const [other] = maskProblems([source(config, ['data', 'open'])], manifests)
  expect(renderProblem(other!)).toContain('data: {open: yes}')
})

test('a Secret that could not be read does not show its values either; other documents do', () => {
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b, a: b}\n---\nkind: Secret\ndata:\n  p: ${base64}\n  p: ${base64}\n`
  const { manifests, problems } = parseManifests(new SourceText('s.yaml', text))
  const [config, secret] = maskProblems(problems, manifests).map(renderProblem)
  expect(config).toContain('data: {a: b, a: b}')
  expect(secret).toContain('p: ***')
  expect(secret).not.toMatch(SECRET)
})

test('messages lose every spelling of a value', () => {
  const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n`
  const { manifests } = parseManifests(new SourceText('s.yaml', text))
  expect(maskText(`got "hunter2", that is ${base64}, for s`, manifests)).toBe('got "***", that is ***, for s')
})

test('thousands of problems in one large document take as long as the document, not as long each', () => {
  const items = Array.from(
    { length: 6000 },
    (_, i) => `- {kind: ConfigMap, metadata: {name: c${i}}, data: {p: x${i}}}\n`,
  )
  const text = `apiVersion: v1\nkind: SecretList\nitems:\n- {kind: Secret, broken: yes}\n${items.join('')}`
  const source = new SourceText('s.yaml', text.repeat(4))
  const problems = Array.from({ length: 20_000 }, (_, i) => {
    const start = 100 + i * 40
    return { code: 'invalid', message: 'odd', file: 's.yaml', at: { source, start, end: start + 1 } } as const
  })
  const began = performance.now()
  const masked = maskProblems(problems, [])
  // It took a minute and gigabytes.
  expect(performance.now() - began).toBeLessThan(5000)
  expect(new Set(masked.map(({ at }) => at!.source)).size).toBe(1)
  expect(masked[0]!.at!.source.text.slice(100, 101)).toBe('*')
})
