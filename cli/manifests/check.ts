import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { Pauses } from '../long-work.ts'
import { checkObject } from './check-object.ts'
import { isDefinition, KnownKinds } from './kinds.ts'
import type { KnownKind } from './known-kind.ts'
import type { Manifest } from './manifest.ts'
import type { Problem } from './problem.ts'
import { placeText } from './source-text.ts'
import { closest } from './suggest.ts'

export interface CheckOptions {
  /** Namespace of namespaced objects that name none. */
  readonly namespace: string
  /** With `-n`, an object that names another namespace is an error. */
  readonly namespaceGiven: boolean
  readonly signal?: AbortSignal
  /** CustomResourceDefinitions beside those among the manifests. */
  readonly definitions?: readonly Manifest[]
}

/** An object of the set, as far as is known of it. */
export interface CheckedObject {
  readonly manifest: Manifest
  /** Absent: its kind is unknown, so it was not checked. */
  readonly known: KnownKind | undefined
  readonly problems: readonly Problem[]
  /** With defaults filled in, where it could be read; its namespace is that of the set where it names none. */
  readonly object: KubeObject & JsonObject
  /** Some of its rules were not run, because what they look at is wrong. */
  readonly rulesLeftOut: boolean
}

/** Everything wrong with the manifests that can be known without a server, in the order they are written. */
export async function checkManifests(manifests: readonly Manifest[], options: CheckOptions): Promise<Problem[]> {
  return (await checkSet(manifests, options)).flatMap(({ problems }) => problems)
}

/** As `checkManifests`, object by object. */
export async function checkSet(manifests: readonly Manifest[], options: CheckOptions): Promise<CheckedObject[]> {
  const definitions = (options.definitions ?? []).map(({ object }) => object)
  const refused = await refusedDefinitions([...manifests.map(({ object }) => object), ...definitions])
  const kinds = new KnownKinds(manifests, definitions, (definition) => !refused.has(definition))
  const checked: CheckedObject[] = []
  const first = new Map<string, Map<string, Manifest>>()
  const found = new Map<string, Map<string, KnownKind | undefined>>()
  const pauses = new Pauses(options.signal)
  for (const manifest of manifests) {
    if (pauses.areDue) await pauses.take()
    const { apiVersion, kind } = manifest.object
    const ofVersion = found.get(apiVersion) ?? new Map<string, KnownKind | undefined>()
    found.set(apiVersion, ofVersion)
    if (!ofVersion.has(kind)) {
      ofVersion.set(kind, (await kinds.find(apiVersion, kind)) ?? (await kinds.findBuiltIn(apiVersion, kind)))
    }
    const known = ofVersion.get(kind)
    const verdict = known
      ? await checkObject(manifest, known, options.namespace)
      : { problems: unknownKind(manifest, kinds), object: manifest.object, rulesLeftOut: false }
    const problems = [
      ...verdict.problems,
      ...wrongNamespace(manifest, known, options),
      ...duplicateOf(manifest, known, options, first),
    ]
    if (problems.length > 1) problems.sort((a, b) => (a.at?.start ?? 0) - (b.at?.start ?? 0))
    checked.push({ manifest, known, ...verdict, problems })
  }
  return checked
}

/** Definitions that are wrong themselves: nothing can be checked by them. */
async function refusedDefinitions(objects: readonly JsonObject[]): Promise<ReadonlySet<JsonObject>> {
  const definitions = objects.filter(isDefinition)
  if (definitions.length === 0) return new Set()
  const { decodeCustomResourceDefinition, defaultCustomResourceDefinition, validateCustomResourceDefinition } =
    await import('../../crds/validation/crd.ts')
  return new Set(
    definitions.filter((definition) => {
      const { object, malformed } = decodeCustomResourceDefinition(definition)
      return (
        malformed !== undefined || validateCustomResourceDefinition(defaultCustomResourceDefinition(object)).length > 0
      )
    }),
  )
}

/** A kind that none of Weir's group versions has, or one letter beside one that we know. Others are somebody else's. */
function unknownKind(manifest: Manifest, kinds: KnownKinds): Problem[] {
  const { apiVersion, kind } = manifest.object
  const refuse = (field: 'apiVersion' | 'kind', what: string, like: string | undefined): Problem[] => {
    const asked = like === undefined ? '' : `; did you mean "${like}"?`
    const problem = manifest.problem('unknown-kind', [field], 'value', what + asked, field)
    return [like === undefined ? problem : { ...problem, suggestion: like }]
  }
  const siblings = kinds.kindsOf(apiVersion)
  if (siblings) return refuse('kind', `there is no kind "${kind}" in ${apiVersion}`, closest(kind, siblings))
  const group = apiVersion.slice(0, apiVersion.indexOf('/') + 1)
  const known = [...kinds.apiVersions()]
  const like = known.find((other) => group !== '' && other.startsWith(group)) ?? closest(apiVersion, known)
  const slip = like !== undefined && like !== apiVersion && kinds.has(like, kind)
  if (!slip && !/(^|\.)weir\.dev\//.test(apiVersion)) return []
  return refuse('apiVersion', `there is no "${apiVersion}"`, like)
}

function wrongNamespace(manifest: Manifest, known: KnownKind | undefined, options: CheckOptions): Problem[] {
  const { namespace } = manifest.object.metadata
  if (!options.namespaceGiven || !namespace || namespace === options.namespace || known?.namespaced === false) return []
  const message = `the namespace from the provided object "${namespace}" does not match the namespace "${options.namespace}". You must pass '--namespace=${namespace}' to perform this operation.`
  return [manifest.problem('invalid', ['metadata', 'namespace'], 'value', message, 'metadata.namespace')]
}

/** The same object twice in one set; versions of a kind are one object. */
function duplicateOf(
  manifest: Manifest,
  known: KnownKind | undefined,
  options: CheckOptions,
  first: Map<string, Map<string, Manifest>>,
): Problem[] {
  const { apiVersion, kind, metadata } = manifest.object
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const namespace = known?.namespaced === false ? '' : (metadata.namespace ?? options.namespace)
  const type = `${group}/${kind}/${namespace}`
  const ofType = first.get(type) ?? new Map<string, Manifest>()
  first.set(type, ofType)
  const name = metadata.name ?? ''
  const other = ofType.get(name)
  if (!other) {
    ofType.set(name, manifest)
    return []
  }
  const place = other.placeOf(['metadata', 'name'], 'value')
  const problem = manifest.problem(
    'duplicate',
    ['metadata', 'name'],
    'value',
    `${kind} "${metadata.name}" is there twice, first at ${placeText(place)}`,
  )
  return [{ ...problem, related: { message: 'the first one is here', place } }]
}
