import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { type ManifestDocument, parseManifestDocument } from './document.ts'
import { type FileArguments, readManifestFiles } from './files.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Place, SourceText } from './source-text.ts'
import { splitDocuments } from './split.ts'

type Path = readonly (string | number)[]

/** One object of a manifest file, and the way back to its place there. */
export interface Manifest {
  readonly object: KubeObject & JsonObject
  readonly place: Place
  /** A problem of this object at one of its fields. `field` is what the message calls it. */
  problem(code: ProblemCode, path: Path, part: 'key' | 'value', message: string, field?: string): Problem
  placeOf(path: Path, part: 'key' | 'value'): Place
}

export interface LoadedManifests {
  readonly manifests: readonly Manifest[]
  readonly problems: readonly Problem[]
}

/**
 * Reads all objects of the named files, Lists taken apart, in the order they are written. Objects have an apiVersion, a kind and a
 * metadata.name; everything that is not so is a problem, and so is a file or document that cannot be read.
 */
export async function loadManifests(args: FileArguments): Promise<LoadedManifests> {
  const { sources, problems } = await readManifestFiles(args)
  const manifests: Manifest[] = []
  for (const source of sources) {
    const loaded = parseManifests(source)
    manifests.push(...loaded.manifests)
    problems.push(...loaded.problems)
  }
  return { manifests, problems }
}

/** The objects of one file. */
export function parseManifests(source: SourceText): LoadedManifests {
  const manifests: Manifest[] = []
  const problems: Problem[] = []
  for (const chunk of splitDocuments(source.text)) {
    const document = parseManifestDocument(source, chunk)
    if (Array.isArray(document)) problems.push(...document)
    else if (document.value !== null) collect(document, [], document.value, manifests, problems)
  }
  return { manifests, problems }
}

function collect(
  document: ManifestDocument,
  path: Path,
  value: JsonValue,
  manifests: Manifest[],
  problems: Problem[],
): void {
  const manifest = manifestAt(document, path, value)
  const refuse = (at: Path, part: 'key' | 'value', message: string, field = '') =>
    problems.push(manifest.problem('type-meta', at, part, message, field))
  if (!isObject(value)) {
    problems.push(
      manifest.problem(
        'not-an-object',
        [],
        'value',
        `${typeName(value)} stands here, where a Kubernetes object should`,
      ),
    )
    return
  }
  const { apiVersion, kind, metadata, items } = value
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    refuse(
      ['apiVersion'],
      'value',
      apiVersion === undefined ? 'apiVersion is missing' : 'must be a string',
      apiVersion === undefined ? '' : 'apiVersion',
    )
  }
  if (typeof kind !== 'string' || kind === '') {
    refuse(
      ['kind'],
      'value',
      kind === undefined ? 'kind is missing' : 'must be a string',
      kind === undefined ? '' : 'kind',
    )
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return
  if (kind.endsWith('List') && Array.isArray(items)) {
    items.forEach((item, index) => {
      collect(document, [...path, 'items', index], item as JsonValue, manifests, problems)
    })
    return
  }
  if (!isObject(metadata)) {
    const missing = metadata === undefined
    refuse(
      ['metadata'],
      'value',
      missing ? 'metadata is missing' : `must be a map, not ${typeName(metadata as JsonValue)}`,
      missing ? '' : 'metadata',
    )
  } else if (metadata.generateName !== undefined && metadata.name === undefined) {
    refuse(
      ['metadata', 'generateName'],
      'key',
      'a manifest names its object, so that applying it twice makes one',
      'metadata.generateName',
    )
  } else if (typeof metadata.name !== 'string' || metadata.name === '') {
    const missing = metadata.name === undefined
    refuse(
      ['metadata', 'name'],
      'value',
      missing ? 'metadata.name is missing' : 'must be a string',
      missing ? '' : 'metadata.name',
    )
  } else if (metadata.namespace !== undefined && typeof metadata.namespace !== 'string') {
    refuse(['metadata', 'namespace'], 'value', 'must be a string', 'metadata.namespace')
  } else manifests.push(manifest)
}

function manifestAt(document: ManifestDocument, root: Path, value: JsonValue): Manifest {
  const { source } = document
  const spanOf = (path: Path, part: 'key' | 'value') => document.locate([...root, ...path], part)
  return {
    object: value as KubeObject & JsonObject,
    get place() {
      return source.placeAt(spanOf([], 'value').start)
    },
    placeOf: (path, part) => source.placeAt(spanOf(path, part).start),
    problem(code, path, part, message, field) {
      const span = spanOf(path, part)
      return { code, message, file: source.name, at: { source, ...span }, ...(field ? { field } : {}) }
    },
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function typeName(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`
}
