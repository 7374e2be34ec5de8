import type { JsonObject, KubeObject } from '../metadata.ts'
import type { FieldSet } from './field-set.ts'
import type { ObjectType } from './object-type.ts'

/** What the field manager must know of the endpoint that a request came to. Build one per endpoint, not per request. */
export interface FieldScope {
  /** `group/version` (`v1` for core) of the endpoint; live and new objects have this apiVersion. */
  readonly apiVersion: string
  readonly kind: string
  /** '' for the object itself, else `status`, `scale` … */
  readonly subresource: string
  /** How objects are typed at each version that is served; undefined: no such version, its entries are dropped. */
  readonly typeOf: (apiVersion: string) => ObjectType | undefined
  /** Fields that this endpoint never changes, by apiVersion: nobody comes to own them here. */
  readonly resetFields: (apiVersion: string) => FieldSet | undefined
  /** An object of the kind before it exists: for built-in kinds with the parts that every object has. */
  readonly emptyObject: KubeObject
  /** An update with `managedFields: []` resets them, as `[{}]` does: so for built-in kinds; custom resources drop empty metadata. */
  readonly emptyListResets: boolean
}

export interface ApplyRequest {
  readonly scope: FieldScope
  /** The object as it is; absent when the apply creates it. */
  readonly live?: KubeObject
  /** The applied configuration, parsed. */
  readonly patch: JsonObject
  readonly manager: string
  readonly force: boolean
  /** RFC 3339, seconds. */
  readonly now: string
}

/** One field that somebody else owns with another value. */
export interface FieldConflict {
  /** `.spec.replicas`, `.spec.ports[port=80].name` */
  readonly field: string
  /** `conflict with "manager" using v1` */
  readonly message: string
}

export type ApplyResult =
  /**
   * `object` has its new managedFields and no defaults yet. `changed` false: nothing but entries' times could differ, and
   * `object` is `live` itself.
   */
  | { readonly outcome: 'applied'; readonly object: KubeObject; readonly changed: boolean }
  /** 409 Conflict; every conflict is a cause with reason `FieldManagerConflict`. */
  | { readonly outcome: 'conflict'; readonly message: string; readonly conflicts: readonly FieldConflict[] }
  /** 400 BadRequest, or 500 InternalError where Kubernetes answers so (a patch that does not fit its schema). */
  | { readonly outcome: 'invalid'; readonly code: 400 | 500; readonly message: string }

export interface TrackRequest {
  readonly scope: FieldScope
  /** The object as it was; absent on create. */
  readonly live?: KubeObject
  /** The object as it is to be stored (defaulted, pruned), with the managedFields that the client sent. */
  readonly updated: KubeObject
  readonly manager: string
  /** RFC 3339, seconds. */
  readonly now: string
}
