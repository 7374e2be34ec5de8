/** What a plan asks of one appliance. */
export interface PlanIndexRow {
  readonly namespace: string
  readonly name: string
  /** Digest of the manifest blob. */
  readonly manifest: string
  readonly files: number
  readonly bytes: number
  /** `namespace/name` of the site that it was at. Indexes from before this was written down do not say. */
  readonly site?: string
}

/** Sites that a plan placed together, with no regard to the others: a plan that would place them by the same again takes over what came of it. */
export interface PlanIndexPart {
  /** Digest of all that they were placed by, but for what they held before. */
  readonly inputs: string
  /** As `PlacedSite`, but for what had to be moved. */
  readonly sites: readonly {
    readonly key: string
    readonly appliances: number
    readonly files: number
    readonly bytes: number
    readonly bytesLeftOut: number
  }[]
  /** As `PlacementWorth`. */
  readonly worth: {
    readonly demand: number
    readonly local: number
    readonly parent: number
    readonly value: number
    readonly bound: number
  }
  /** As `Scarcity`, the most valuable first. */
  readonly scarce: readonly {
    readonly site: string
    readonly resource: 'Storage' | 'Throughput'
    readonly gain: number
  }[]
}

/** The index of a plan: one row per appliance, sorted by namespace and name. */
export interface PlanIndex {
  readonly catalog: string
  readonly rows: readonly PlanIndexRow[]
  /** What later plans may take over. */
  readonly parts?: readonly PlanIndexPart[]
}

/** NDJSON: a header line, a row per appliance, then the parts. Rows are sorted, so that the same plan always gives the same bytes. */
export function encodePlanIndex(index: PlanIndex): Uint8Array {
  const rows = [...index.rows].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
  const lines = rows.map(({ namespace, name, manifest, files, bytes, site }) =>
    JSON.stringify({ namespace, name, manifest, files, bytes, site }),
  )
  const parts = (index.parts ?? []).map((part) => JSON.stringify({ part }))
  return new TextEncoder().encode(
    `${[JSON.stringify({ weirIndex: 1, catalog: index.catalog }), ...lines, ...parts].join('\n')}\n`,
  )
}

/** Reads what `encodePlanIndex` wrote. Throws a RangeError where the bytes are no index of version 1. */
export function decodePlanIndex(bytes: Uint8Array): PlanIndex {
  const [head, ...lines] = new TextDecoder().decode(bytes).trimEnd().split('\n')
  const header = JSON.parse(head ?? 'null') as { weirIndex?: unknown; catalog?: unknown } | null
  if (header?.weirIndex !== 1 || typeof header.catalog !== 'string') {
    throw new RangeError('plan index: not an index of version 1')
  }
  const rows: PlanIndexRow[] = []
  const parts: PlanIndexPart[] = []
  for (const line of lines) {
    const row = JSON.parse(line) as PlanIndexRow | { readonly part: PlanIndexPart }
    if ('part' in row) parts.push(row.part)
    else rows.push(row)
  }
  return { catalog: header.catalog, rows, parts }
}

/** Compares by UTF-16 code units: the same everywhere, whatever the locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
