import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { partition } from '../../reconcilers/placement/partition.ts'
import { explainPriced } from '../../reconcilers/placement/priced.ts'
import type { PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'
import { type Explainer, type Standing, type Why, whyOf } from '../../reconcilers/placement/solver/explain.ts'
import { isLicensed } from '../../reconcilers/placement/solver/markets.ts'
import { weigh } from '../../reconcilers/placement/weigh.ts'
import type { PolicyExplanation, SiteExplanation } from './document.ts'
import { type Holding, readHoldings } from './holdings.ts'
import type { ExplainInput } from './input.ts'
import { messageOf } from './message.ts'

/** A site, with what decides there on each of the files. */
interface Row {
  readonly site: PlacementSite
  readonly files: readonly { readonly file: number; readonly standing: Standing; readonly why: Why }[]
  /** What is asked for of all the files here, and as a part of all that is. */
  readonly demand: number
  readonly share: number
  /** Files that some appliance is to hold. */
  readonly asked: number
}

/** Explains files under one policy; undefined where it places on no appliance at the site that is asked about. */
export async function explainPolicy(input: ExplainInput): Promise<PolicyExplanation | undefined> {
  const { policy, found, catalog, site, limit, isUpToDate } = input
  // What is decided on together with the site is enough to explain it.
  const problem =
    site === undefined
      ? input.problem
      : partition(input.problem, input.problem.sites.length).find(({ sites }) => sites.some(({ key }) => key === site))
  if (!problem) return undefined
  const explainer = explainPriced(problem)
  const rows = problem.sites
    .filter(({ key }) => site === undefined || key === site)
    .map((each) => rowOf(each, found.indices, problem, explainer))
    .sort((a, b) => b.demand - a.demand || compare(a.site.key, b.site.key))
  const shown = rows.slice(0, limit)
  const holdings = await readHoldings(
    input,
    shown.map((row) => row.site),
  )
  const files = found.indices.map((i) => catalog.files[i]!)
  return {
    namespace: policy.metadata.namespace ?? '',
    policy: policy.metadata.name ?? '',
    catalog: policy.spec.catalogRef.name,
    plan: policy.status?.currentPlan ?? null,
    isUpToDate,
    ...(found.title !== undefined && { title: found.title }),
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    paths: files.slice(0, PATHS_TOLD).map(({ path }) => path),
    demandPercent: percent(found.indices.reduce((sum, i) => sum + explainer.shareOfAll(i), 0)),
    totals: {
      sites: rows.length,
      holdingAll: rows.filter(({ asked }) => asked === files.length).length,
      holdingSome: rows.filter(({ asked }) => asked > 0 && asked < files.length).length,
    },
    sites: shown.map((row) => tellSite(row, problem, explainer, holdings.get(row.site.key))),
    others: counted(rows.slice(limit).map(({ files: of }) => counted(of.map(({ why }) => why))[0]![0])).map(
      ([why, sites]) => ({ why, sites }),
    ),
  }
}

const PATHS_TOLD = 100

function rowOf(site: PlacementSite, indices: readonly number[], problem: PlacementProblem, explainer: Explainer): Row {
  const { key, appliances } = site
  const largestBytes = appliances.reduce((most, { storageBytes }) => Math.max(most, storageBytes), 0)
  let [demand, share, asked] = [0, 0, 0]
  const files = indices.map((file) => {
    const standing = explainer.standing(key, file)
    const isHeld = appliances.some(({ held }) => held?.has(file) ?? false)
    demand += standing.demand
    share += standing.share
    if (isHeld) asked++
    const why = whyOf(standing, {
      isExcluded: problem.excluded.has(file),
      isLicensed: (problem.licences ?? []).every(({ files, regions }) => !files.has(file) || isLicensed(regions, site)),
      isPinned: problem.pins.some((pin) => pin.files.has(file)),
      sizeBytes: problem.sizes[file]!,
      largestBytes,
      isHeld,
      wouldBeHeld: explainer.here.get(key)?.has(file) ?? false,
    })
    return { file, standing, why }
  })
  return { site, files, demand, share, asked }
}

function tellSite(
  row: Row,
  problem: PlacementProblem,
  explainer: Explainer,
  holding: Holding | undefined,
): SiteExplanation {
  const { site, files } = row
  const [namespace = '', name = ''] = site.key.split('/')
  const times = files.map(({ standing }) => standing.timesCutOff)
  const askedOf = site.appliances.filter(({ held }) => files.some(({ file }) => held?.has(file) ?? false))
  const storage = site.appliances.reduce((sum, { storageBytes }) => sum + storageBytes, 0)
  const used = site.appliances.reduce((sum, { held }) => sum + (held ? weigh(problem.sizes, held).bytes : 0), 0)
  const parent = files.find(({ standing }) => standing.parent !== undefined)?.standing.parent
  const only = files.length === 1 ? files[0] : undefined
  const wouldHelp = only && helpFor(only, site.key, explainer)
  const told: Omit<SiteExplanation, 'message'> = {
    namespace,
    name,
    role: files[0]!.standing.role,
    appliances: {
      selected: site.appliances.length,
      asked: askedOf.map(({ key }) => key.split('/')[1] ?? '').sort(compare),
    },
    holding: holding?.appliances ?? null,
    files: { asked: row.asked, holding: holding?.files ?? null },
    demandPercent: percent(row.share),
    timesCutOff: { least: finite(Math.min(...times)), most: finite(Math.max(...times)) },
    reasons: counted(files.map(({ why }) => why)).map(([why, n]) => ({ why, files: n })),
    ...(parent !== undefined && { parent }),
    roomBytes: Math.max(0, storage - used),
    ...(wouldHelp && { wouldHelp }),
  }
  const largestBytes = site.appliances.reduce((most, { storageBytes }) => Math.max(most, storageBytes), 0)
  const message = messageOf(told, only && { ...only, sizeBytes: problem.sizes[only.file]!, largestBytes })
  return { ...told, message }
}

/** What would have a file here that is not. */
function helpFor(
  { file, standing, why }: Row['files'][number],
  key: string,
  explainer: Explainer,
): SiteExplanation['wouldHelp'] | undefined {
  if (why !== 'BelowCutOff' && why !== 'ParentHolds' && why !== 'MustEarnItsMove') return undefined
  const { timesCutOffToCome } = standing
  return {
    // Popularity times nothing is nothing.
    ...(timesCutOffToCome > 0 && { popularityTimes: 1 / timesCutOffToCome }),
    ...(standing.timesCutOff > 0 && { storageBytes: explainer.bytesShort(key, file) }),
  }
}

/** Each value with how often it is there, the most frequent first. */
function counted<T extends string>(values: readonly T[]): [T, number][] {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))
}

/** To a ten-thousandth of a per cent. */
const percent = (part: number) => Math.round(part * 1e6) / 1e4
const finite = (times: number) => (Number.isFinite(times) ? times : null)
