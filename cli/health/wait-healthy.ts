import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { Connection } from '../api/connect.ts'
import { qualifiedKind } from '../api/discovery.ts'
import type { Resolved } from '../changes/resolve.ts'
import { ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { schemaAt } from '../manifests/check.ts'
import { type Followed, followUntil, type Verdict } from './follow.ts'
import { healthOf } from './kstatus.ts'

/** Waits until everything applied is `Current`, telling on stderr what is waited for. Gives 0, or 7 when it is not so in time. */
export async function waitHealthy(
  io: Io,
  connection: Connection,
  set: readonly Resolved[],
  timeoutMs: number,
): Promise<ExitCode> {
  const observed = await observedKinds()
  const followed = set.map(({ resource, object }): Followed => {
    const { name = '', namespace } = object.metadata
    return { resource, name, ...(resource.namespaced && namespace ? { namespace } : {}) }
  })
  const result = await followUntil(connection, followed, {
    timeoutMs,
    signal: io.interrupted,
    judge(object, { resource }): Verdict {
      if (!object) return { type: 'failed', message: 'it has been deleted' }
      const { state, message } = healthOf(object, observed.has(`${resource.group}/${resource.kind}`))
      if (state === 'Current') return { type: 'met' }
      return { type: state === 'Failed' ? 'failed' : 'pending', message }
    },
    onMet: (each) => io.err(`${label(each)} is healthy\n`),
    onPending: (each, message) => io.err(`${label(each)}: ${message}\n`),
  })
  if (result.failed.length + result.pending.length === 0) return ExitCode.ok
  for (const { followed: each, message } of result.failed) io.err(`error: ${label(each)} failed: ${message}\n`)
  for (const { followed: each, message } of result.pending)
    io.err(`error: ${label(each)} is not healthy: ${message || 'nothing is known of it'}\n`)
  return ExitCode.unhealthy
}

const label = ({ resource, name }: Followed) => `${qualifiedKind(resource)}/${name}`

/** The kinds of ours whose controllers report observedGeneration. */
async function observedKinds(): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const kind of Object.values<KindInfo>(registry)) {
    const spec = (await kind.loadCrd()).spec as
      | { versions?: readonly { schema?: { openAPIV3Schema?: JsonObject } }[] }
      | undefined
    const schema = spec?.versions?.[0]?.schema?.openAPIV3Schema
    const [generation, conditions] = ['observedGeneration', 'conditions'].map((field) =>
      schemaAt(schema, ['status', field]),
    )
    if (generation && conditions) found.add(`${kind.group}/${kind.kind}`)
  }
  return found
}
