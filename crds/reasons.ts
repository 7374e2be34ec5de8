/** What a condition type says, and the reasons that come with it. The reference pages are made from this. */
export interface ConditionDoc {
  readonly meaning: string
  /** Reason → what it means, the status it comes with in front. */
  readonly reasons: Readonly<Record<string, string>>
}

const observed = 'only while True'

/** Reasons that the controller loop itself gives, for any kind. */
const failures = {
  ReconcileFailed: 'False: something failed that may work later. It is tried again by itself; the message says what',
} as const

/**
 * Every condition type of every kind, with its reasons: stable names that programs may depend on. `Ready` takes over the reason of what
 * stands in its way, so it can have the reasons of the others as well.
 */
export const conditions = {
  HardwareClass: {},
  Site: {
    Ready: {
      meaning: 'Every appliance at the site is Ready, or there is none.',
      reasons: {
        AppliancesReady: 'True: every appliance is Ready',
        AppliancesNotReady: 'False: some are not',
      },
    },
    Degraded: {
      meaning: 'Something at the site needs a look, though the site works on.',
      reasons: {
        AppliancesOffline: 'True: appliances are not online',
        FilesFailing: 'True: files cannot be filled on some of its appliances',
        NothingWrong: 'False: none of these',
      },
    },
    Reconciling: {
      meaning: `Its appliances are on their way to what they should hold; ${observed}.`,
      reasons: { AppliancesNotReady: 'True: appliances are not Ready yet' },
    },
    Stalled: {
      meaning: `Only a change of the spec helps; ${observed}.`,
      reasons: { ParentNotFound: 'True: a parent does not exist' },
    },
  },
  Appliance: {
    Ready: {
      meaning: 'It is online and holds everything it should, or is in the mode that is wanted of it.',
      reasons: {
        Converged: 'True: it holds everything it should',
        Draining: 'True: as wanted, clients are sent elsewhere and it keeps its bytes',
        OutOfService: 'True: as wanted, clients are sent elsewhere and it keeps its bytes',
        Decommissioned: 'True: as wanted, it has withdrawn everything and given its bytes up',
      },
    },
    Online: {
      meaning:
        'It was heard of lately: one that falls silent is not online within 45 seconds, and online again within 5 seconds of its return.',
      reasons: {
        Heartbeat: 'True: a gateway hears it',
        HeartbeatLost: 'False: the gateways are there and do not hear it',
        NeverConnected: 'False: its agent has not connected yet',
        GatewayUnreachable: 'Unknown: no gateway says whom it hears',
      },
    },
    ContentReady: {
      meaning: 'It verifiably holds everything that its Assignment asks for.',
      reasons: {
        ContentComplete: 'True: every file is held, verified',
        NotAssigned: 'False: no content has been assigned yet',
        NotObserved: 'False: its agent has not taken up its latest Assignment',
        Filling: 'False: files are still to be filled; the message says what that waits for',
        FilesFailing: 'False: files could not be filled or verified; the message names the first',
      },
    },
    Reconciling: {
      meaning: `It is on its way; ${observed}. Its reason is that of ContentReady.`,
      reasons: {},
    },
    Stalled: {
      meaning: `Only a change by a person helps; ${observed}.`,
      reasons: {
        SiteNotFound: 'True: the Site that it names does not exist',
        HardwareClassNotFound: 'True: the HardwareClass that it names does not exist',
      },
    },
  },
  Assignment: {},
  Catalog: {
    Ready: {
      meaning: 'A version is published and the last look at the source went well.',
      reasons: {
        Published: 'True: the source was read and its files are published',
        NotPublished: 'False: nothing has been published yet',
      },
    },
    SourceReady: {
      meaning:
        'The source could be read, and every line of it is right. When it cannot, the last good version stays in force.',
      reasons: {
        SourceRead: 'True: it was read without an error',
        SourceUnreadable: 'False: it could not be fetched. It is tried again by itself',
        SourceRefused: 'False: lines of it are wrong; the message names the first by number',
        SourceShrunk:
          'False: it has become empty, or has lost so much (`spec.maxShrinkPercent`) that somebody must approve of it; the message says how',
      },
    },
    Reconciling: {
      meaning: `The source is being read; ${observed}.`,
      reasons: { Refreshing: 'True: the source is being read' },
    },
    Stalled: {
      meaning: `Only a change by a person helps; ${observed}.`,
      reasons: { SourceShrunk: 'True: the source has lost (nearly) everything; see SourceReady' },
    },
  },
  PlacementPolicy: {
    Ready: {
      meaning: 'There is a plan for the current spec and every selected appliance holds what it asks.',
      reasons: { Converged: 'True: every appliance holds what the plan asks of it' },
    },
    Fits: {
      meaning: 'Every file that the policy wants has a place.',
      reasons: {
        EverythingFits: 'True: nothing was left out',
        StorageExhausted: 'False: files were left out; the message says by how many bytes storage is short',
      },
    },
    Feasible: {
      meaning:
        'Everything that the policy asks for beyond placing files can be had: copies per region, all copies of pins, a head that outlives a loss. Only where there is a plan, and one of them is asked for. Does not keep a policy from being Ready.',
      reasons: {
        AllMet: 'True: the plan meets all of it',
        TooFewAppliances:
          'False: there are too few appliances for the copies; the message says where, the plan’s `unmet` has more',
        StorageShort: 'False: there is too little storage for them',
        ThroughputShort: 'False: those that are left after a loss are too slow to serve the head',
      },
    },
    DemandCounted: {
      meaning:
        'Popularity comes from what viewers were counted to ask for; only where `spec.demand.source` wants that. Does not keep a policy from being Ready.',
      reasons: {
        Counted: 'True: planned by what was counted, or by the forecast that was made from it',
        NotPublished:
          'False: no gateway has published anything for this catalog (none keeps demand, say); the catalog’s own popularity is used',
        NothingCounted: 'False: nothing has been counted on a whole day yet; the catalog’s own popularity is used',
        Outdated: 'False: nothing newer than a few days was published; the last that was is used',
      },
    },
    EndedEarly: {
      meaning: `Time for solving was up: the best plan found by then is in force; ${observed}.`,
      reasons: { OutOfTime: 'True: the message says how near its value is to the bound' },
    },
    Paused: {
      meaning: `Too much of the fleet is dark at once: nothing is moved until it is back; ${observed}.`,
      reasons: { FleetDark: 'True: more appliances than the set share are not online' },
    },
    Reconciling: {
      meaning: `The policy is on its way; ${observed}.`,
      reasons: {
        CatalogNotPublished: 'True: its catalog has not published anything yet',
        WaitingForPolicy: 'True: a policy of higher priority on the same appliances plans first',
        Solving: 'True: a new plan is being made; the message says how far it is and how good so far',
        Converging: 'True: appliances still fill',
        NoAppliances: 'True: the selectors match no appliance',
      },
    },
    Stalled: {
      meaning: `Only a change by a person helps; ${observed}.`,
      reasons: { CatalogNotFound: 'True: the Catalog that it names does not exist' },
    },
  },
  PlacementPlan: {},
  SteeringPolicy: {},
} as const satisfies Record<string, Record<string, ConditionDoc>>

/** Reasons that any kind's `Ready` can have. */
export const commonReasons = failures

/** Reasons of Events, by kind: things that have happened. */
export const eventReasons = {
  HardwareClass: {},
  Site: {},
  Appliance: {
    Heartbeat: 'Normal: it is heard of again',
    HeartbeatLost: 'Warning: it fell silent',
    GatewayUnreachable: 'Warning: no gateway says any more whether it is online',
  },
  Assignment: {},
  Catalog: {
    CatalogPublished: 'Normal: another version of the catalog was published',
    SourceRefused: 'Warning: lines of the source are wrong; the version before stays in force',
    SourceShrunk:
      'Warning: the source has lost (nearly) everything; the version before stays in force until somebody approves',
  },
  PlacementPolicy: {
    Planned: 'Normal: another plan was made; the message says what it moves',
    FleetDark: 'Warning: too much of the fleet is dark at once; nothing is moved until it is back',
  },
  PlacementPlan: {},
  SteeringPolicy: {},
} as const satisfies Record<keyof typeof conditions, Record<string, string>>

type ConditionsOf<K extends keyof typeof conditions> = (typeof conditions)[K]
/** The condition types of a kind. */
export type ConditionType<K extends keyof typeof conditions> = keyof ConditionsOf<K>

type ReasonIn<D> = D extends { readonly reasons: infer R } ? keyof R & string : never
/** Every documented reason of a kind's conditions: what its reconciler may say. */
export type Reason<K extends keyof typeof conditions> = {
  [T in ConditionType<K>]: ReasonIn<ConditionsOf<K>[T]>
}[ConditionType<K>]
