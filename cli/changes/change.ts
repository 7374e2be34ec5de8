import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import type { Place } from '../manifests/source-text.ts'
import type { Resolved } from './resolve.ts'

/** A whole object as a server has it, apiVersion and kind filled in. */
export type Body = KubeObject & JsonObject

/**
 * Why a field differs. `yours`: the manifests make it so (they set it, or no longer set what this field manager had set).
 * `defaulted`: the server does, by defaults or admission. `foreign`: it is another manager's.
 */
export type FieldClass = 'yours' | 'defaulted' | 'foreign'

/** One field that differs between `before` and `after` of a change. Values of Secrets are masked here already: safe to print. */
export interface FieldChange {
  /** As Kubernetes writes it: `spec.fillWindows[0].maxGbps`, `metadata.labels[fleet.weir.dev/tier]`. */
  readonly path: string
  /** The same, step by step, in `after` (in `before` where the field goes). */
  readonly steps: readonly (string | number)[]
  /** Undefined: was not there. A map or list that comes or goes as a whole is one change. */
  readonly before: JsonValue | undefined
  /** Undefined: will not be there. */
  readonly after: JsonValue | undefined
  readonly class: FieldClass
  /** Of a foreign field its owner; of one of yours, whom it is taken over from (`--force-conflicts`). */
  readonly manager?: string
  /** Where the manifest sets the field, or the nearest part that is there. Only of `yours`. */
  readonly place?: Place
}

/** What applying one manifest would make of its object. */
export interface Change {
  readonly resolved: Resolved
  /** `unchanged`: whatever differs is neither yours nor lasting (server metadata, status). A sent apply may still note ownership. */
  readonly action: 'create' | 'update' | 'unchanged'
  /** The object as it is; undefined where there is none. Secrets are NOT masked here: never print it, print `fields` or `shown`. */
  readonly before: Body | undefined
  /**
   * The object as the server would have it: defaulted, with status and managedFields where the server merged it (`source`). Undefined
   * only where nobody can tell: no permission to try, and no schema to merge by. NOT masked.
   */
  readonly after: Body | undefined
  /** Every differing field but server metadata and status; of a created object all of its fields. Sorted by name. */
  readonly fields: readonly FieldChange[]
  /** `local`: merged by this program, as the server could not be asked (no `patch` permission, or namespace or kind not there yet). */
  readonly source: 'server' | 'local'
}

/** What a set of manifests would change, in the order of the set (which is the order of applying). */
export interface ChangeSet {
  readonly changes: readonly Change[]
}

export interface ChangeOptions {
  readonly fieldManager: string
  /** Fields that may be taken over from other managers (`--force-conflicts`). */
  readonly take: readonly string[]
  /** For who goes on to apply: what may not be applied is refused, rather than merged here. */
  readonly strict?: boolean
  readonly signal: AbortSignal
}
