import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { endedBySignals, Pauses } from '../long-work.ts'
import { type ManifestDocument, parseManifestDocument } from './document.ts'
import { type FileArguments, readManifestFiles } from './files.ts'
import { ambiguousTexts, forbiddenCharacter, type LintCode } from './portable.ts'
import type { ObjectName, Problem } from './problem.ts'
import type { Place, SourceText } from './source-text.ts'
import { type Chunk, splitDocuments } from './split.ts'

export type Path = readonly (string | number)[]

/** One object of a manifest file, and the way back to its place there. */
export interface Manifest {
  readonly object: KubeObject & JsonObject
  readonly place: Place
  /** The file it is in, as the user named it. */
  readonly file: string
  /** A problem of this object at one of its fields. `field` is what the message calls it. */
  problem<Code extends string>(
    code: Code,
    path: Path,
    part: 'key' | 'value',
    message: string,
    field?: string,
  ): Problem<Code>
  placeOf(path: Path, part: 'key' | 'value'): Place
}

export interface LoadedManifests {
  readonly manifests: readonly Manifest[]
  readonly problems: readonly Problem[]
  /** What is not wrong, but other programs read differently. */
  readonly warnings: readonly Problem<LintCode>[]
  /** The files that were read, as they are called in problems. */
  readonly files: readonly string[]
}

/** A file with more problems than this is no manifest; the rest of it is not looked at. */
const MAX_PROBLEMS = 1000

/**
 * Reads all objects of the named files, Lists taken apart, in the order they are written. Objects have an apiVersion, a kind and a
 * metadata.name; everything that is not so is a problem, and so is a file or document that cannot be read.
 */
export async function loadManifests(args: FileArguments): Promise<LoadedManifests> {
  const pauses = new Pauses(args.signal)
  const loaded: LoadedManifests[] = []
  for (const read of await readManifestFiles(args)) {
    if ('text' in read) loaded.push(await parsedWith(pauses, args.signal, read))
    else loaded.push({ manifests: [], problems: [read], warnings: [], files: [read.file] })
  }
  return {
    manifests: loaded.flatMap(({ manifests }) => manifests),
    problems: loaded.flatMap(({ problems }) => problems),
    warnings: loaded.flatMap(({ warnings }) => warnings),
    files: loaded.flatMap(({ files }) => files),
  }
}

/** The objects of one file. */
export function parseManifests(source: SourceText): LoadedManifests {
  const parsing = new Parsing(source)
  for (const chunk of splitDocuments(source.text)) if (!parsing.read(chunk)) break
  return parsing
}

/** As `parseManifests`, with pauses. */
async function parsedWith(
  pauses: Pauses,
  signal: AbortSignal | undefined,
  source: SourceText,
): Promise<LoadedManifests> {
  const parsing = new Parsing(source)
  for (const chunk of splitDocuments(source.text)) {
    if (pauses.areDue) await pauses.take()
    const isLong = chunk.end - chunk.start > LONG
    if (!(isLong ? await endedBySignals(signal, () => parsing.read(chunk)) : parsing.read(chunk))) break
  }
  return parsing
}

/** Documents beyond this size, in UTF-16 units, may take so long to read that a signal would be heard late. */
const LONG = 256 * 1024

/** What was read of a file so far. */
class Parsing implements LoadedManifests {
  readonly manifests: Manifest[] = []
  readonly problems: Problem[]
  readonly warnings: Problem<LintCode>[] = []
  readonly files: readonly string[]
  readonly #source: SourceText

  constructor(source: SourceText) {
    this.#source = source
    this.problems = forbiddenCharacter(source)
    this.files = [source.name]
  }

  /** Reads one more document; false: it is enough. */
  read(chunk: Chunk): boolean {
    const { manifests, problems, warnings } = this
    const document = parseManifestDocument(this.#source, chunk)
    if (Array.isArray(document)) problems.push(...document)
    else {
      if (document.value !== null) new Collector(document, manifests, problems).collect([], document.value)
      if (document.ambiguous.length > 0) warnings.push(...ambiguousTexts(document))
    }
    if (problems.length <= MAX_PROBLEMS) return true
    const message = `has more than ${MAX_PROBLEMS} problems; the rest of it was not read`
    problems.push({ code: 'unreadable', file: this.#source.name, message })
    return false
  }
}

/** Finds the objects of one document. */
class Collector {
  readonly #document: ManifestDocument
  readonly #manifests: Manifest[]
  readonly #problems: Problem[]

  constructor(document: ManifestDocument, manifests: Manifest[], problems: Problem[]) {
    this.#document = document
    this.#manifests = manifests
    this.#problems = problems
  }

  collect(path: Path, value: JsonValue): void {
    if (!isObject(value)) {
      const message = `${typeName(value)} stands here, where a Kubernetes object should`
      this.#problems.push(this.#at(path, {}).problem('not-an-object', [], 'value', message))
      return
    }
    const manifest = this.#at(path, value)
    const { apiVersion, kind, items } = value
    if (isKustomization(this.#document.source.name, value)) {
      const message = 'this is a kustomization, which no API server knows: build it with -k and its folder'
      this.#problems.push(manifest.problem('kustomization', [], 'value', message))
      return
    }
    for (const name of ['apiVersion', 'kind'] as const) {
      const text = value[name]
      if (typeof text === 'string' && text !== '') continue
      const missing = text === undefined
      const message = missing ? `${name} is missing` : 'must be a string'
      this.#problems.push(manifest.problem('type-meta', [name], 'value', message, missing ? '' : name))
    }
    if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') return
    if (isList(apiVersion, kind, items)) this.#list(path, apiVersion, kind, (items ?? []) as readonly JsonValue[])
    else if (this.#hasName(manifest)) this.#manifests.push(manifest)
  }

  /** Items of a typed list, such as a SiteList, may leave out what the list says. */
  #list(path: Path, apiVersion: string, kind: string, items: readonly JsonValue[]): void {
    const itemKind = kind === 'List' ? undefined : kind.slice(0, -'List'.length)
    for (const [index, item] of items.entries()) {
      const typed = itemKind !== undefined && isObject(item) && item.kind === undefined && item.apiVersion === undefined
      this.collect([...path, 'items', index], typed ? { apiVersion, kind: itemKind, ...item } : item)
    }
  }

  #hasName(manifest: Manifest): boolean {
    const metadata = manifest.object.metadata as JsonValue | undefined
    const refuse = (at: Path, part: 'key' | 'value', message: string, field: string) => {
      this.#problems.push(manifest.problem('type-meta', at, part, message, field))
      return false
    }
    if (metadata === undefined) return refuse(['metadata'], 'value', 'metadata is missing', '')
    if (!isObject(metadata)) {
      return refuse(['metadata'], 'value', `must be a map, not ${typeName(metadata)}`, 'metadata')
    }
    const { name, namespace, generateName } = metadata
    if (generateName !== undefined && name === undefined) {
      const message = 'a manifest names its object, so that applying it twice makes one'
      return refuse(['metadata', 'generateName'], 'key', message, 'metadata.generateName')
    }
    if (name === undefined) return refuse(['metadata', 'name'], 'value', 'metadata.name is missing', '')
    if (typeof name !== 'string' || name === '') {
      return refuse(['metadata', 'name'], 'value', mustBeText(name), 'metadata.name')
    }
    if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
      return refuse(['metadata', 'namespace'], 'value', mustBeText(namespace), 'metadata.namespace')
    }
    return true
  }

  #at(root: Path, value: JsonObject): Manifest {
    const document = this.#document
    const { source } = document
    const spanOf = (path: Path, part: 'key' | 'value') =>
      path.length + root.length === 0
        ? { start: document.start, end: document.start + 1 }
        : document.locate([...root, ...path], part)
    return {
      object: value as KubeObject & JsonObject,
      file: source.name,
      get place() {
        return source.placeAt(spanOf([], 'value').start)
      },
      placeOf: (path, part) => source.placeAt(spanOf(path, part).start),
      problem(code, path, part, message, field) {
        const object = objectName(value)
        return {
          code,
          message,
          file: source.name,
          at: { source, ...spanOf(path, part) },
          ...(field ? { field } : {}),
          ...(object ? { object } : {}),
        }
      },
    }
  }
}

/** `items: null` is an empty list; a kind that only ends in "List" and has no items is an object like any. */
function isList(apiVersion: string, kind: string, items: JsonValue | undefined): boolean {
  if (!kind.endsWith('List')) return false
  if (items === undefined) return apiVersion === 'v1' && kind === 'List'
  return items === null || Array.isArray(items)
}

function isKustomization(file: string, { apiVersion, kind }: JsonObject): boolean {
  if (typeof apiVersion === 'string') return apiVersion.startsWith('kustomize.config.k8s.io/')
  return apiVersion === undefined && kind === undefined && /(?:^|[/\\])kustomization\.ya?ml$/.test(file)
}

function objectName({ apiVersion, kind, metadata }: JsonObject): ObjectName | undefined {
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isObject(metadata)) return undefined
  const { name, namespace } = metadata
  if (typeof name !== 'string') return undefined
  return { apiVersion, kind, name, ...(typeof namespace === 'string' ? { namespace } : {}) }
}

/** What to say of a value where a text must stand. */
export function mustBeText(value: JsonValue): string {
  if (value === '') return 'must not be empty'
  const advice = typeof value === 'object' ? '' : `; write "${value}" in quotes`
  return `must be a string, not ${typeName(value)}${advice}`
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function typeName(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`
}
