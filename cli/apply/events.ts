import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import type { FieldChange } from '../changes/change.ts'
import type { ExitCode } from '../exit.ts'
import type { ProblemCode } from '../manifests/problem.ts'
import type { Place } from '../manifests/source-text.ts'

// What `weir apply` says while it works, one JSON object per line with -o json. Described in docs/cli.md; add fields, do not change any.

/** Which object an event is about. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  /** Of namespaced objects. */
  readonly namespace?: string
  readonly name: string
  /** Of objects that exist. */
  readonly uid?: string
}

/** Where the object is written down. */
export interface ManifestPlace {
  readonly file: string
  readonly line: number
}

/** What is going to be done with one object, said of all of them before anything is done. */
export interface PlannedEvent {
  readonly type: 'planned'
  readonly action: 'create' | 'update' | 'unchanged' | 'prune' | 'keep'
  readonly object: ObjectRef
  /** Of objects of the manifests. */
  readonly manifest?: ManifestPlace
  /** What differs, of objects that are updated. Secrets' values are masked. */
  readonly fields?: readonly PlannedField[]
  /** Why an object is kept although the manifests do not have it any more. */
  readonly reason?: string
}

export interface PlannedField extends Pick<FieldChange, 'path' | 'class' | 'manager'> {
  /** Null: was not there. */
  readonly before: JsonValue
  /** Null: will not be there. */
  readonly after: JsonValue
}

/** An object was applied; with `dryRun`, it would have been. */
export interface AppliedEvent {
  readonly type: 'applied'
  readonly action: 'created' | 'configured' | 'unchanged'
  readonly dryRun: boolean
  readonly manifest: ManifestPlace
  /** The whole object as the server has it, without managedFields. Secrets' values are masked. */
  readonly object: KubeObject & JsonObject
}

/** An object that the manifests do not have any more was deleted or, as `reason` says, kept. */
export interface PrunedEvent {
  readonly type: 'pruned'
  readonly action: 'deleted' | 'kept'
  readonly dryRun: boolean
  readonly object: ObjectRef
  readonly reason?: string
}

/** An object is not healthy yet (or not gone yet); said again when the message changes. */
export interface WaitingEvent {
  readonly type: 'waiting'
  readonly object: ObjectRef
  readonly message: string
}

/** An object is as its manifest wants it; it may be waited for again, while others are not. */
export interface HealthyEvent {
  readonly type: 'healthy'
  readonly object: ObjectRef
  /** It was pruned, and is not there any more. */
  readonly gone?: true
}

/** Something went wrong; `exitCode` says what kind of thing. Without `object` it is about the whole. */
export interface FailedEvent {
  readonly type: 'failed'
  readonly exitCode: ExitCode
  readonly object?: ObjectRef
  /** Where a manifest is wrong, and the stable name of what is wrong with it. */
  readonly manifest?: ManifestPlace
  readonly code?: ProblemCode
  readonly field?: string
  readonly message: string
}

/** The last event, however it ended. */
export interface SummaryEvent {
  readonly type: 'summary'
  readonly exitCode: ExitCode
  readonly dryRun: boolean
  readonly created: number
  readonly configured: number
  readonly unchanged: number
  readonly pruned: number
  readonly kept: number
  readonly healthy: number
  /** Objects that were to be applied or pruned and were not. */
  readonly pending: readonly ObjectRef[]
  /** Objects whose request was sent and whose answer did not come: it may have been carried out. */
  readonly unknown: readonly ObjectRef[]
  readonly durationMs: number
}

export type ApplyEvent =
  | PlannedEvent
  | AppliedEvent
  | PrunedEvent
  | WaitingEvent
  | HealthyEvent
  | FailedEvent
  | SummaryEvent

export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const { namespace, name = '', uid } = metadata
  return { apiVersion, kind, ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}) }
}

export const placeOf = ({ file, line }: Place): ManifestPlace => ({ file, line })
