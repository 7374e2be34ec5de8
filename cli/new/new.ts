import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { kinds } from '../../crds/registry.gen.ts'
import { compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { writtenBy } from '../../crds/written-by.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { ownSchema, requiredOwnKind } from '../own-kinds.ts'
import { fieldValues } from './fields.ts'
import { type Rendered, renderManifest } from './render.ts'
import { schemaUrl } from './schema-url.ts'

export interface NewFlags {
  readonly field?: readonly string[]
  readonly examples?: boolean
  readonly namespace?: string
  readonly out?: string
  readonly schemas?: string
}

/** `weir new`: a manifest of one of Weir's kinds, with every field explained. */
export async function runNew(io: Io, words: readonly string[], flags: NewFlags): Promise<ExitCode> {
  const [word, name, ...more] = words
  if (word === undefined) throw usageError(`must say what kind of object: ${authored().join(', ')}`)
  const kind = requiredOwnKind(word)
  if (kind.kind in writtenBy)
    throw usageError(`${kind.kind}s are not written by hand: ${writtenBy[kind.kind as keyof typeof writtenBy]}`)
  if (name === undefined) throw usageError(`must give the ${kind.singular} a name: weir new ${word} NAME`)
  if (more.length > 0) throw usageError(`one object at a time; do not know what to do with "${more.join(' ')}"`)
  const path = flags.out === undefined ? undefined : await filePath(resolve(io.cwd, flags.out), flags.out, name)
  const url = schemaUrl(kind, path === undefined ? io.cwd : dirname(path), flags.schemas, io.cwd)
  const { text, missing } = await newManifest(kind, name, url, flags)
  if (path === undefined) await io.out(text)
  else await writeNew(path, text)
  if (path !== undefined) io.err(`wrote ${flags.out === path ? path : path.slice(io.cwd.length + 1) || path}\n`)
  if (missing.length > 0) io.err(`still to be given a value: ${missing.join(', ')}\n`)
  return ExitCode.ok
}

const authored = () => kinds.filter(({ kind }) => !(kind in writtenBy)).map(({ singular }) => singular)

/** The text of a new manifest. Throws a usage error for a name or a field that the API would refuse. */
export async function newManifest(
  kind: KindInfo,
  name: string,
  url: string,
  flags: Pick<NewFlags, 'field' | 'examples' | 'namespace'>,
): Promise<Rendered> {
  if (flags.namespace !== undefined && !kind.namespaced)
    throw usageError(`a ${kind.singular} is in no namespace; leave --namespace out`)
  const schema = await ownSchema(kind)
  const given = fieldValues(schema, flags.field ?? [])
  const metadata = { name, ...(flags.namespace !== undefined && { namespace: flags.namespace }), ...given.metadata }
  const specSchema = (schema.properties as Readonly<Record<string, JsonObject>>).spec!
  const filled = withExamples(specSchema, given.spec) as JsonObject
  check(kind, schema, metadata, filled)
  return renderManifest({ kind, schema, schemaUrl: url, metadata, spec: flags.examples ? filled : given.spec })
}

/** A value with an example in every required place that has none. */
function withExamples(schema: JsonObject, value: JsonValue | undefined): JsonValue | undefined {
  const properties = schema.properties as Readonly<Record<string, JsonObject>> | undefined
  if (!properties) return value ?? schema.example
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) return value
  const required = (schema.required ?? []) as readonly string[]
  const filled: Record<string, JsonValue | undefined> = { ...(value as JsonObject | undefined) }
  for (const [key, field] of Object.entries(properties)) {
    if (filled[key] !== undefined || required.includes(key)) filled[key] = withExamples(field, filled[key])
  }
  return filled
}

/** Refuses what was given and the API would refuse; what was not given has its example here, which it takes. */
function check(kind: KindInfo, schema: JsonObject, metadata: JsonObject, spec: JsonObject): void {
  const { group, version, namespaced } = kind
  const validator = compileCustomResource({ group, version, kind: kind.kind, namespaced, schema })
  const object = { apiVersion: kind.apiVersion, kind: kind.kind, metadata, spec }
  const decoded = validator.decode(namespaced ? { ...object, metadata: { namespace: 'default', ...metadata } } : object)
  const problems = [
    ...(decoded.malformed === undefined ? [] : [decoded.malformed]),
    ...decoded.unknownFields.map((field) => `${field}: unknown field`),
    ...validator
      .validateCreate(validator.applyDefaults(decoded.object))
      .filter(({ path }) => path.length > 0)
      .map(({ field, message }) => `${field}: ${message}`),
  ]
  if (problems.length > 0) throw usageError(problems.join('\nerror: '))
}

/** The file that `--out` means: itself, or the object's name in a folder. */
async function filePath(path: string, given: string, name: string): Promise<string> {
  const folder =
    /[/\\]$/.test(given) ||
    (await stat(path).then(
      (info) => info.isDirectory(),
      () => false,
    ))
  return folder ? join(path, `${name}.yaml`) : path
}

/** Writes a file that is not there yet, with the folders it needs. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw usageError(`${path} exists; nothing was written`)
    throw new CliError(ExitCode.usage, `cannot write ${path}: ${message}`, { cause: error })
  }
}
