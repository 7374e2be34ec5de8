import type { Why } from '../../reconcilers/placement/solver/explain.ts'

/** What `weir explain-placement -o json` prints. Fields are added without another version; none goes or changes. */
export interface ExplanationDocument {
  readonly apiVersion: 'cli.weir.dev/v1alpha1'
  readonly kind: 'PlacementExplanation'
  /** The file or title, as it was asked for. */
  readonly asked: string
  /** One for each policy whose catalog has it. */
  readonly policies: readonly PolicyExplanation[]
}

export interface PolicyExplanation {
  readonly namespace: string
  readonly policy: string
  readonly catalog: string
  /** The plan in force; null where there is none. */
  readonly plan: string | null
  /** Whether a plan made now would be made from the same as the one in force. Else reasons are those of now, and the plan may be of another time. */
  readonly isUpToDate: boolean
  /** What was asked for is a title, or one file. */
  readonly title?: string
  readonly files: number
  readonly bytes: number
  /** Of the first 100 files. */
  readonly paths: readonly string[]
  /** Of all demand everywhere, in per cent. */
  readonly demandPercent: number
  /** Sites that the policy places on, and how many of them are to hold all of the files, or some. */
  readonly totals: { readonly sites: number; readonly holdingAll: number; readonly holdingSome: number }
  /** The sites that ask for most of it first. */
  readonly sites: readonly SiteExplanation[]
  /** Sites that are not told one by one, by the reason that most of the files have there. */
  readonly others: readonly { readonly why: Why; readonly sites: number }[]
}

export interface SiteExplanation {
  readonly namespace: string
  readonly name: string
  /** `Parent`: other sites fill from it and fall back to it. */
  readonly role: 'Edge' | 'Parent'
  /** Appliances that are to hold some of it by the plan in force; of those that the policy places on at the site. */
  readonly appliances: { readonly selected: number; readonly asked: readonly string[] }
  /** Appliances that say that they hold some of it, verified; null where their inventories cannot be read. */
  readonly holding: readonly string[] | null
  /** Files that some appliance is to hold, and that some appliance says that it holds. */
  readonly files: { readonly asked: number; readonly holding: number | null }
  /** Of all that viewers here (of a parent: and at the sites below it) ask for, in per cent. */
  readonly demandPercent: number
  /** What a byte of it earns here, in what it must earn to be here; of the files that earn least and most. Null: nothing is scarce. */
  readonly timesCutOff: { readonly least: number | null; readonly most: number | null }
  /** How many files each reason holds for, the most first. */
  readonly reasons: readonly { readonly why: Why; readonly files: number }[]
  /** The parent that is to hold it, `namespace/name`. */
  readonly parent?: string
  /** Bytes that the policy may use here, less those of the plan in force. */
  readonly roomBytes: number
  /** Of a single file that is not here: so many times its popularity, or so much more storage here, and it would be. */
  readonly wouldHelp?: { readonly popularityTimes?: number; readonly storageBytes?: number }
  /** A sentence. */
  readonly message: string
}
