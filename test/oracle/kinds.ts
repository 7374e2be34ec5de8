/**
 * Asks a real kube-apiserver what it says of Weir's kinds, and compares: the CRDs are taken without a warning, the documented examples are
 * valid, and every wrong sample of the tests is refused for the reasons that the tests expect.
 *
 *   node test/oracle/kinds.ts KUBECONFIG
 */
import { customResourceDefinitions as crds } from '../../crds/load.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { kinds } from '../../crds/registry.gen.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  type Resource,
} from '../../runtime/client/resource.ts'
import { ApiError } from '../../runtime/errors.ts'
import { example, wrongObject, wrongSamples } from '../crds/samples.ts'

const path = process.argv[2]
if (path === undefined) throw new Error('usage: node test/oracle/kinds.ts KUBECONFIG')
const problems: string[] = []
const client = new Client({
  access: await loadKubeconfig({ path }),
  onWarning: (text) => problems.push(`warning: ${text}`),
})
const resourceOf = (kind: string) => kinds.find((info) => info.kind === kind) as Resource
const options = { fieldManager: 'oracle', force: true, fieldValidation: 'Strict' } as const

for (const crd of crds())
  await client.apply(customResourceDefinitions, crd as unknown as CustomResourceDefinition, options)
for (const { kind } of kinds) await served(resourceOf(kind))

for (const { kind } of kinds) {
  try {
    await client.apply(resourceOf(kind), example(kind) as unknown as KubeObject, { ...options, dryRun: true })
  } catch (error) {
    problems.push(`${kind}: its example is refused: ${(error as Error).message}`)
  }
}
for (const sample of wrongSamples) {
  const told = await refusal(sample.kind, wrongObject(sample) as unknown as KubeObject)
  for (const { field, message } of sample.causes) {
    const found = told.some((cause) => (cause.field ?? '') === (field || '<nil>') && cause.message?.includes(message))
    if (!found)
      problems.push(`${sample.kind}: ${sample.why}: expected ${field}: ${message}; told ${JSON.stringify(told)}`)
  }
}
client.close()
for (const problem of problems) console.error(problem)
console.error(`${kinds.length} kinds, ${wrongSamples.length} wrong objects, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

async function served(resource: Resource): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await client.list(resource)
      return
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function refusal(kind: string, object: KubeObject) {
  try {
    await client.create(resourceOf(kind), object, { dryRun: true, fieldValidation: 'Strict' })
    return []
  } catch (error) {
    if (error instanceof ApiError) return error.causes
    throw error
  }
}
