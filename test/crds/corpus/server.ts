import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import type { KubeClient, Answer as Response } from '../../oracle/kube-client.ts'
import {
  type Answer,
  causeText,
  type DefinitionCase,
  definitionOf,
  type ExpressionAnswer,
  type ExpressionFile,
  goodDefinition,
  isObject,
  lastingMetadata,
  mergePatch,
  type ObjectFile,
  ruleSchema,
  sortedSet,
} from './corpus.ts'
import { isTried, timesOf } from './ours.ts'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const DRY = 'dryRun=All&fieldValidation=Warn&fieldManager=corpus'

/** Asks an API server about all objects of a file. It must know nothing of the file's group. */
export async function askObjects(client: KubeClient, file: ObjectFile & { readonly name: string }): Promise<Answer[]> {
  const group = `${file.name}.corpus.weir.dev`
  const things = `/apis/${group}/v1/namespaces/default/things`
  const install = (schema: JsonObject, mark: string) => installDefinition(client, definition(file, schema, group), mark)
  await install(file.before ?? file.schema, 'before')
  const old = new Map<number, JsonObject>()
  for (const [i, one] of file.cases.entries()) {
    if (!one.old) continue
    const created = await client.send('POST', things, named(one.old, group, `old-${i}`))
    if (created.status !== 201) throw new Error(`${file.name}: old object of "${one.why}": ${created.text}`)
    old.set(i, created.body as JsonObject)
  }
  if (file.before) await install(file.schema, 'after')
  const answers: Answer[] = []
  for (const [i, one] of file.cases.entries()) {
    const before = old.get(i)
    const object = named(one.object, group, before ? `old-${i}` : 'one', before)
    const path = before ? `${things}/old-${i}${one.status ? '/status' : ''}` : things
    answers.push(answerOf(await client.send(before ? 'PUT' : 'POST', `${path}?${DRY}`, object), lasting))
  }
  await client.send('DELETE', `${CRDS}/things.${group}`)
  return answers.map((answer) => renamed(answer, group))
}

/** Asks an API server about a definition. */
export async function askDefinition(client: KubeClient, one: DefinitionCase): Promise<Answer> {
  const written = definitionOf(one)
  const spec = (object: JsonObject): JsonValue => object.spec ?? null
  if (!one.old) return answerOf(await client.send('POST', `${CRDS}?${DRY}`, written), spec)
  const before = definitionOf(one.old)
  const name = String((before.metadata as JsonObject).name)
  await installDefinition(client, before, 'old')
  const live = (await client.send('GET', `${CRDS}/${name}`)).body as JsonObject
  const { resourceVersion } = live.metadata as JsonObject
  const metadata = { ...(written.metadata as JsonObject), resourceVersion }
  const answer = answerOf(await client.send('PUT', `${CRDS}/${name}?${DRY}`, { ...written, metadata }), spec)
  await removeDefinition(client, name)
  return answer
}

/** Asks an API server about all expressions of a file, many at a time. */
export async function askExpressions(
  client: KubeClient,
  file: ExpressionFile & { readonly name: string },
): Promise<ExpressionAnswer[]> {
  const given: { -readonly [key in keyof ExpressionAnswer]: ExpressionAnswer[key] }[] = file.expressions.map(() => ({}))
  const all = [...file.expressions.entries()]
  for (const some of chunks(all, 60)) {
    for (const [i, { message }] of await refusals(client, file, some)) {
      if (message.startsWith('Forbidden')) given[i]!.cost = { times: timesOf(file, file.expressions[i]!) ?? 0, message }
      else given[i]!.error = message
    }
  }
  const tried = all.filter(([i, expression]) => given[i]!.error === undefined && isTried(expression, file))
  for (const some of chunks(tried, 8)) {
    const failed = await failures(client, file, some)
    for (const [i] of some) given[i]!.failure = failed.get(i) ?? null
  }
  return given
}

type Numbered = readonly (readonly [number, string])[]
type Causes = NonNullable<NonNullable<Status['details']>['causes']>

/** What is told at the rules when a definition has them, each for as many values as are just too many. */
async function refusals(client: KubeClient, file: ExpressionFile, expressions: Numbered) {
  const properties = Object.fromEntries(
    expressions.map(([i, one]) => [`p${i}`, ruleSchema(file.schema, one, timesOf(file, one) ?? 1)]),
  )
  const answer = await client.send('POST', `${CRDS}?dryRun=All`, goodDefinition({ type: 'object', properties }))
  const told = new Map<number, { readonly message: string }>()
  for (const { field = '', message = '' } of causes(answer)) {
    const [, i] = /properties\[p(\d+)\].*\.rule$/.exec(field) ?? []
    if (i === undefined || message.includes('contributed to')) continue
    told.set(Number(i), { message: message.replace(/selfType\d+/g, 'selfType') })
  }
  return told
}

/** What is told of an object that has `self` under each rule. */
async function failures(client: KubeClient, file: ExpressionFile & { readonly name: string }, expressions: Numbered) {
  const [[first] = [0]] = expressions
  const group = `${file.name}${first}.corpus.weir.dev`
  const properties = Object.fromEntries(expressions.map(([i, one]) => [`p${i}`, ruleSchema(file.schema, one)]))
  await installDefinition(client, goodDefinition({ type: 'object', properties }, group), 'before')
  const object = named(Object.fromEntries(expressions.map(([i]) => [`p${i}`, file.self])), group, 'one')
  const answer = await client.send('POST', `/apis/${group}/v1/namespaces/default/things?dryRun=All`, object)
  await client.send('DELETE', `${CRDS}/things.${group}`)
  if (answer.status !== 201 && answer.status !== 422) throw new Error(answer.text)
  return new Map(causes(answer).map(({ field = '', message = '' }) => [Number(field.slice(1)), message]))
}

function causes({ body }: Response): Causes {
  const { details } = (body ?? {}) as Status
  return details?.causes ?? []
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

function definition(file: ObjectFile, schema: JsonObject, group: string): JsonObject {
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }
  const subresources = file.subresources ? { subresources: file.subresources } : {}
  const patch = { spec: { versions: [{ ...version, ...subresources }] } }
  return mergePatch(goodDefinition(schema, group), patch) as JsonObject
}

/** Creates or updates a definition and waits until the server serves by it: a warning of deprecation tells. */
async function installDefinition(client: KubeClient, crd: JsonObject, mark: string): Promise<void> {
  const { group, versions } = crd.spec as { group: string; versions: JsonObject[] }
  const name = String((crd.metadata as JsonObject).name)
  const deprecationWarning = `${mark} of ${group}`
  const marked = versions.map((version) => ({ ...version, deprecated: true, deprecationWarning }))
  const body = { ...crd, spec: { ...(crd.spec as JsonObject), versions: marked } }
  const live = await client.send('GET', `${CRDS}/${name}`)
  const { resourceVersion } = ((live.body as JsonObject | undefined)?.metadata ?? {}) as JsonObject
  const put = { ...body, metadata: { ...(crd.metadata as JsonObject), resourceVersion } }
  const sent =
    live.status === 200 ? await client.send('PUT', `${CRDS}/${name}`, put) : await client.send('POST', CRDS, body)
  if (sent.status >= 300) throw new Error(`${name}: ${sent.text}`)
  const { plural } = (crd.spec as { names: { plural: string } }).names
  await until(async () => {
    const list = await client.send('GET', `/apis/${group}/${String(versions[0]?.name)}/${plural}?limit=1`)
    return list.status === 200 && JSON.stringify(list.headers.warning ?? '').includes(deprecationWarning)
  })
}

async function removeDefinition(client: KubeClient, name: string): Promise<void> {
  await client.send('DELETE', `${CRDS}/${name}`)
  await until(async () => (await client.send('GET', `${CRDS}/${name}`)).status === 404)
}

async function until(met: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await met())) {
    if (performance.now() > end) throw new Error('the server did not come round')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function named(object: JsonObject, group: string, name: string, old?: JsonObject): JsonObject {
  const { resourceVersion } = (old?.metadata ?? {}) as JsonObject
  const known = resourceVersion === undefined ? {} : { resourceVersion }
  const metadata = { name, namespace: 'default', ...known, ...(object.metadata as JsonObject | undefined) }
  return { apiVersion: `${group}/v1`, kind: 'Thing', ...object, metadata }
}

function lasting(object: JsonObject): JsonValue {
  const { apiVersion, kind, metadata, ...rest } = object
  const left = lastingMetadata(metadata as JsonObject)
  return Object.keys(left).length > 0 ? { ...rest, metadata: left } : rest
}

interface Status {
  readonly message?: string
  readonly details?: {
    readonly causes?: readonly { readonly field?: string; readonly reason?: string; readonly message?: string }[]
  }
}

/** An answer of the wire, without what differs from run to run. */
export function answerOf(response: Response, keep: (object: JsonObject) => JsonValue): Answer {
  const { body, status } = response
  const warnings = warningsOf(response)
  const warned = warnings.length > 0 ? { warnings } : {}
  if (!isObject(body)) throw new Error(`${status}: ${response.text}`)
  if (status < 300) return { stored: keep(body), ...warned }
  const { message = '', details } = body as Status
  if (status !== 422) return { refused: message }
  const causes = (details?.causes ?? []).map((one) => causeText(one.field ?? '', one.reason ?? '', one.message ?? ''))
  return { causes: sortedSet(causes), ...warned }
}

function warningsOf({ headers }: Response): string[] {
  const lines = [headers.warning ?? []].flat().join(', ')
  const texts = [...lines.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'))
  return texts.filter((text) => !/^(before|after|old) of /.test(text))
}

/** Answers speak of one group, whichever the server was asked about. */
function renamed(answer: Answer, group: string): Answer {
  return JSON.parse(JSON.stringify(answer).replaceAll(group, 'corpus.weir.dev')) as Answer
}
