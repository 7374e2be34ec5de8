import { type Address, formatAddress } from '../../reconcilers/steering/address.ts'
import type { CandidateReason, LocationSource } from '../../reconcilers/steering/types.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Steered } from '../steerer.ts'

/** Why one candidate was kept or rejected. */
export interface ExplainedCandidate {
  /** Of an appliance; absent for a fallback. */
  readonly appliance?: string
  readonly site?: string
  readonly fallback?: string
  readonly tier: string
  readonly reason: CandidateReason
  readonly message: string
  /** Share of what it can send, as the decision knew it. */
  readonly utilisation?: number
}

/** The story of an answer. */
export interface Explanation {
  readonly client: {
    readonly address: string
    readonly site?: string
    readonly region?: string
    /** Which source has located it. */
    readonly knownBy: LocationSource
    /** Where the client itself is, in degrees, where a database of addresses says so. */
    readonly coordinates?: { readonly latitude: number; readonly longitude: number }
  }
  readonly policy: string
  readonly catalog: string
  readonly files: readonly string[]
  readonly candidates: readonly ExplainedCandidate[]
}

const MESSAGES: Readonly<Record<CandidateReason, string>> = {
  Chosen: 'named in the answer',
  ChosenLastResort: 'named although it is busy: nobody else is left',
  NotNeeded: 'would have done; the answer was full',
  MissingFiles: 'its verified inventory does not have all of the files',
  Down: 'does not answer',
  Draining: 'is being drained, out of service, or being deleted',
  NoAddress: 'has not said where it can be reached',
  OriginOnly: 'its site serves appliances, not clients, or is not known',
  Excluded: 'the client says that it has failed it',
  DrainedByPolicy: 'the policy drains it for this client',
  NotInCanaryShare: 'is a canary, and this client is not in its share',
  Overloaded: 'too busy for this purpose; the request goes on to the next tier',
}

/** Files that are named in an explanation. */
const FILES_TOLD = 10

/** Tells the story of what was just decided, for an ask with `explain`. `whyDown` says more of an appliance that does not answer. */
export function explain(
  world: World,
  steered: Steered,
  address: Readonly<Address>,
  whyDown: (appliance: string) => string | undefined,
): Explanation {
  const { answer, request, catalog, index } = steered
  const { site, region, source, latitude, longitude } = request.client
  const siteKey = world.siteKeys[site]
  const regionName = world.regions[region]
  return {
    client: {
      address: formatAddress(address),
      ...(siteKey === undefined ? {} : { site: siteKey }),
      ...(regionName === undefined ? {} : { region: regionName }),
      knownBy: source,
      ...(latitude === undefined || longitude === undefined ? {} : { coordinates: { latitude, longitude } }),
    },
    policy: world.policies[answer.policy]!.key,
    catalog,
    files: Array.from(
      { length: Math.min(FILES_TOLD, request.files.length) },
      (_, i) => index.path(request.files[i]!) ?? '',
    ),
    candidates: answer.considered.map(({ appliance, tier, site: at, reason, utilisation }) => {
      if (appliance < 0) {
        const fallback = world.policies[answer.policy]!.fallbacks[-1 - appliance]!.url
        return { fallback, tier, reason, message: MESSAGES[reason] }
      }
      const key = world.applianceKeys[appliance]!
      const why = reason === 'Down' ? whyDown(key) : undefined
      return {
        appliance: key,
        site: world.siteKeys[at] ?? '',
        tier,
        reason,
        message: why ?? MESSAGES[reason],
        ...(Number.isFinite(utilisation) ? { utilisation: Math.round(utilisation * 1000) / 1000 } : {}),
      }
    }),
  }
}
