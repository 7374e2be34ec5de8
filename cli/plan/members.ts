import type { Appliance, Assignment } from '../../crds/types.gen.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { Contents } from './contents.ts'
import type { ApplianceEffects } from './document.ts'
import type { FleetModel } from './fleet-model.ts'

export type Content = NonNullable<Assignment['spec']['content']>

export interface EffectsInput {
  /** What is there now: what appliances hold. */
  readonly live: FleetModel
  /** Where the fleet goes without the change, and with it. */
  readonly before: FleetModel
  readonly after: FleetModel
  /** Appliances whose content cannot be known, by key, and why. */
  readonly unknown: ReadonlyMap<string, string>
  /** Appliances whose content depends on the order in which controllers see the change. */
  readonly guessed: ReadonlySet<string>
  readonly contents: Contents
  readonly now: Date
}

/** One appliance with all that is known of it. */
export interface Member {
  readonly key: string
  /** As it will be, or was. */
  readonly appliance: Appliance
  /** As it is now; undefined where it is new. */
  readonly now: Appliance | undefined
  readonly before: Content | undefined
  readonly after: Content | undefined
  readonly drained: boolean
  readonly isOnline: boolean
  /** Why nothing can be said of what it will hold. */
  readonly why: string | undefined
  /** What it will hold depends on the order in which controllers see the change. */
  readonly isGuess: boolean
  /** It is asked for the same files as without the change. */
  readonly keepsFiles: boolean
  readonly isTouched: boolean
}

/** Every appliance that there is, or will be. */
export function members({ live, before, after, unknown: unknowns, guessed }: EffectsInput): Member[] {
  const keys = new Set([before, after].flatMap(({ objects }) => objects.appliances.list().map(keyOf)))
  return [...keys].sort(compare).map((key) => {
    const now = live.objects.appliances.get(key)
    const then = after.objects.appliances.get(key)
    const [old, next] = [before, after].map(({ objects }) => objects.assignments.get(key)?.spec.content)
    const stays = then && !then.metadata.deletionTimestamp
    const served =
      (old?.serve ?? false) && ((old?.entries.length ?? 0) > 0 || (now?.status?.content?.filesHeld ?? 0) > 0)
    const drained = served && (!stays || !next?.serve || next.entries.length === 0)
    const why = unknowns.get(key)
    const keepsFiles = why === undefined && sameFiles(old, stays ? next : undefined)
    return {
      key,
      appliance: (then ?? before.objects.appliances.get(key))!,
      now,
      before: old,
      after: stays ? next : undefined,
      drained,
      isOnline: now?.status?.conditions?.some(({ type, status }) => type === 'Online' && status === 'True') ?? false,
      why,
      isGuess: guessed.has(key),
      keepsFiles,
      isTouched: drained || !keepsFiles || !stays || !now || old?.serve !== next?.serve,
    }
  })
}

/** Whether the same files are asked for. */
function sameFiles(before: Content | undefined, after: Content | undefined): boolean {
  const told = (content: Content | undefined) =>
    (content?.entries ?? []).map(({ catalogDigest, manifestDigest }) => `${catalogDigest} ${manifestDigest}`).join()
  return before === after || told(before) === told(after)
}

/** `namespace/name` of an appliance and its site, as the document has them. */
export function named({ key }: Member, site: string): Pick<ApplianceEffects, 'namespace' | 'name' | 'site'> {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name, site: site.slice(site.indexOf('/') + 1) }
}
