import type { Purpose } from '../reconcilers/steering/types.ts'

/** Bounds of what one request may ask for. */
export const MAX_FILES = 64
export const MAX_EXCLUDED = 32
export const MAX_PATH = 2048

/** What somebody asks: files of one catalog, or a title. */
export interface Ask {
  /** `namespace/catalog/path` each, or paths in `catalog`. Empty where a title is asked for. */
  readonly files: readonly string[]
  /** `namespace/name`. */
  readonly catalog: string | undefined
  readonly title: string | undefined
  readonly purpose: Purpose
  /** Appliances (`namespace/name`) or URLs that have failed this client. */
  readonly exclude: readonly string[]
  /** 0: as many as the policy gives. */
  readonly maxUrls: number
  readonly explain: boolean
}
