/** What a plan asks of one appliance. */
export interface PlanIndexRow {
  readonly namespace: string
  readonly name: string
  /** Digest of the manifest blob. */
  readonly manifest: string
  readonly files: number
  readonly bytes: number
}

/** The index of a plan: one row per appliance, sorted by namespace and name. */
export interface PlanIndex {
  readonly catalog: string
  readonly rows: readonly PlanIndexRow[]
}

/** NDJSON with a header line; rows are sorted, so that the same plan always gives the same bytes. */
export function encodePlanIndex(index: PlanIndex): Uint8Array {
  const rows = [...index.rows].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
  const lines = rows.map(({ namespace, name, manifest, files, bytes }) =>
    JSON.stringify({ namespace, name, manifest, files, bytes }),
  )
  return new TextEncoder().encode(
    `${[JSON.stringify({ weirIndex: 1, catalog: index.catalog }), ...lines].join('\n')}\n`,
  )
}

/** Reads what `encodePlanIndex` wrote. Throws a RangeError where the bytes are no index of version 1. */
export function decodePlanIndex(bytes: Uint8Array): PlanIndex {
  const [head, ...rows] = new TextDecoder().decode(bytes).trimEnd().split('\n')
  const header = JSON.parse(head ?? 'null') as { weirIndex?: unknown; catalog?: unknown } | null
  if (header?.weirIndex !== 1 || typeof header.catalog !== 'string') {
    throw new RangeError('plan index: not an index of version 1')
  }
  return { catalog: header.catalog, rows: rows.map((row) => JSON.parse(row) as PlanIndexRow) }
}

/** Compares by UTF-16 code units: the same everywhere, whatever the locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
