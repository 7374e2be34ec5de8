import { gatherNext } from '../../controllers/gather/policy.ts'
import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { PlacementPolicy } from '../../crds/types.gen.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { needsPlan, problemOf } from '../../reconcilers/placement/plan-policy.ts'
import { comparePolicies } from '../../reconcilers/placement/select.ts'
import { ReconcileError } from '../../runtime/errors.ts'
import { type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { apiFailure, CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { closest, didYouMean } from '../manifests/suggest.ts'
import { printJson } from '../output/json.ts'
import { printYaml } from '../output/yaml.ts'
import { FleetModel } from '../plan/fleet-model.ts'
import { type BlobFlags, openBlobs } from '../plan/open-blobs.ts'
import { readFleet } from '../plan/snapshot.ts'
import type { ExplanationDocument, PolicyExplanation } from './document.ts'
import { explainPolicy } from './explain-policy.ts'
import { type FoundFiles, findFiles } from './find-files.ts'
import { explanationText } from './text.ts'

export interface ExplainPlacementFlags extends ConnectionFlags, BlobFlags {
  readonly output?: string
  readonly site?: string
  readonly policy?: string
  readonly limit: string
}

const FORMATS = ['text', 'json', 'yaml'] as const

/** `weir explain-placement`: why a file is at a site or not. Reads only. */
export async function runExplainPlacement(
  io: Io,
  words: readonly string[],
  flags: ExplainPlacementFlags,
): Promise<ExitCode> {
  const format = formatOf(flags.output)
  const [asked, ...more] = words
  if (asked === undefined || asked === '' || more.length > 0)
    throw usageError('name one file, by its path in the catalog, or one title')
  const connection = await connect(io, flags)
  const { reader, close } = openBlobs(io, connection, flags)
  try {
    const { snapshot, unreadable } = await readFleet(connection.client, io.interrupted)
    if (unreadable !== undefined) throw apiFailure(`the fleet cannot be read: ${unreadable}`)
    const model = new FleetModel(snapshot, new Date())
    const policies = await explainAll(asked, model, reader, connection.namespace, flags)
    const document: ExplanationDocument = {
      apiVersion: 'cli.weir.dev/v1alpha1',
      kind: 'PlacementExplanation',
      asked,
      policies,
    }
    if (format === 'json') await io.out(`${printJson(document)}\n`)
    else await io.out(format === 'yaml' ? printYaml(document) : explanationText(document))
    return ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    if (error instanceof ReconcileError) throw apiFailure(error.message, error)
    throw requestFailure(error)
  } finally {
    await close()
    connection.client.close()
  }
}

function formatOf(output = 'text'): (typeof FORMATS)[number] {
  const format = FORMATS.find((known) => known === output)
  if (format) return format
  throw usageError(`-o ${output}: expected ${FORMATS.join(', ')}${didYouMean(output, FORMATS)}`)
}

async function explainAll(
  asked: string,
  model: FleetModel,
  reader: BlobReader,
  namespace: string,
  flags: ExplainPlacementFlags,
): Promise<readonly PolicyExplanation[]> {
  const policies = policiesOf(model, namespace, flags.policy)
  const explanations: PolicyExplanation[] = []
  const looked: string[] = []
  const elsewhere: string[] = []
  for (const policy of policies) {
    const key = `${namespace}/${policy.spec.catalogRef.name}`
    const digest = model.objects.catalogs.get(key)?.status?.digest
    if (!digest) continue
    const found = findFiles(await reader.catalog(digest), asked)
    if (!found) {
      looked.push(policy.spec.catalogRef.name)
      continue
    }
    const explanation = await explainOne(policy, found, model, reader, flags)
    if (explanation) explanations.push(explanation)
    else elsewhere.push(policy.metadata.name ?? '')
  }
  if (explanations.length > 0) return explanations
  if (elsewhere.length > 0)
    throw apiFailure(`PlacementPolicy ${elsewhere.join(', ')} places on no appliance at site ${flags.site}`)
  if (looked.length === 0) throw apiFailure(`no catalog that a PlacementPolicy in ${namespace} places is published`)
  const catalogs = [...new Set(looked)]
  const like = await alike(asked, model, reader, namespace, catalogs)
  throw apiFailure(
    `no file and no title of ${catalogs.map((name) => `Catalog ${namespace}/${name}`).join(', ')} is ${JSON.stringify(asked)}${like}`,
  )
}

/** In the order in which they plan. */
function policiesOf(model: FleetModel, namespace: string, name: string | undefined): readonly PlacementPolicy[] {
  const all = (model.objects.policies.list() as readonly PlacementPolicy[]).filter(
    ({ metadata }) => metadata.namespace === namespace && !metadata.deletionTimestamp,
  )
  const chosen = name === undefined ? all : all.filter(({ metadata }) => metadata.name === name)
  if (chosen.length > 0) return [...chosen].sort(comparePolicies)
  if (name === undefined) throw apiFailure(`there is no PlacementPolicy in namespace ${namespace}`)
  const names = all.map(({ metadata }) => metadata.name ?? '')
  throw apiFailure(`PlacementPolicy "${name}" not found in namespace ${namespace}${didYouMean(name, names)}`)
}

async function explainOne(
  policy: PlacementPolicy,
  found: FoundFiles,
  model: FleetModel,
  reader: BlobReader,
  flags: ExplainPlacementFlags,
): Promise<PolicyExplanation | undefined> {
  const { question, material } = await gatherNext(policy, model.objects, reader, defaultSolver)
  const problem = problemOf(question, material)
  return await explainPolicy({
    policy,
    found,
    catalog: material.catalog,
    catalogDigest: question.catalog?.status?.digest ?? '',
    problem,
    isUpToDate: !needsPlan(question),
    applianceOf: (key) => model.objects.appliances.get(key),
    reader,
    limit: Number(flags.limit),
    ...(flags.site === undefined ? {} : { site: siteKey(flags.site, policy) }),
  })
}

const siteKey = (site: string, { metadata }: PlacementPolicy) =>
  site.includes('/') ? site : `${metadata.namespace}/${site}`

/** Catalogs of more files are not searched for what was perhaps meant. */
const SEARCHED = 100_000

async function alike(
  asked: string,
  model: FleetModel,
  reader: BlobReader,
  namespace: string,
  catalogs: readonly string[],
): Promise<string> {
  for (const name of catalogs) {
    const digest = model.objects.catalogs.get(`${namespace}/${name}`)?.status?.digest
    const { files } = await reader.catalog(digest!)
    if (files.length > SEARCHED) continue
    const names = new Set(files.flatMap((file) => (file ? [file.path, ...(file.title ? [file.title] : [])] : [])))
    const like = closest(asked, names)
    if (like !== undefined) return `; did you mean "${like}"?`
  }
  return ''
}
