/** What an object is checked for besides its validity: fields nobody knows, and fields given twice. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface WriteOptions {
  readonly dryRun: boolean
  /** As sent; undefined lets the user agent name the manager. */
  readonly fieldManager: string | undefined
  readonly fieldValidation: FieldValidation
  readonly userAgent: string | undefined
}

export interface PatchOptions extends WriteOptions {
  /** Of server-side apply: take over fields that others own. */
  readonly force: boolean
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

export interface DeleteOptions {
  readonly dryRun: boolean
  readonly propagationPolicy: Propagation | undefined
  /** The deprecated way to say Orphan (true) or Background (false). */
  readonly orphanDependents: boolean | undefined
  readonly preconditions: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
}

export type VersionMatch = '' | 'Exact' | 'NotOlderThan'

/** metav1.ListOptions, checked. */
export interface ListOptions {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly limit: number
  readonly continueToken: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: VersionMatch
}

export interface WatchOptions {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly resourceVersion: string
  readonly allowBookmarks: boolean
  /** undefined: as the resourceVersion implies. */
  readonly sendInitialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
}
