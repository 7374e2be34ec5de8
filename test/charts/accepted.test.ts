import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { namespaces, type Resource } from '../../runtime/client/resource.ts'
import { ApiError, isAlreadyExists } from '../../runtime/errors.ts'
import { type ControlPlane, startControlPlane } from '../controllers/control-plane.ts'
import { helm, type Rendered, render } from './helm.ts'
import { valueSets } from './value-sets.ts'

/** Served only where Prometheus' operator is installed. */
const FOREIGN = ['monitoring.coreos.com/v1']
/** What the embedded server has no use for: it runs no pods. */
const NOT_EMBEDDED = [
  'apps/v1',
  'policy/v1',
  'networking.k8s.io/v1',
  'v1 PersistentVolumeClaim',
  'v1 Service',
  'v1 ServiceAccount',
]

let plane: ControlPlane
const whenHelm = helm ? describe : describe.skip

whenHelm('every rendered object is taken by an API server, every field of it known', () => {
  beforeAll(async () => {
    plane = await startControlPlane()
    for (const name of new Set(valueSets.map(({ namespace }) => namespace).concat('weir-system'))) {
      try {
        await plane.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
    }
  }, 90_000)
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]()
  })

  test.each(valueSets)('$why', async ({ namespace, release, values }) => {
    const unserved = new Set<string>()
    const problems: string[] = []
    const objects = await render(values, namespace, release)
    for (const object of objects) {
      const name = `${object.apiVersion} ${object.kind} ${object.metadata.name}`
      const resource = await resourceOf(object)
      if (resource === undefined) unserved.add(object.apiVersion).add(`${object.apiVersion} ${object.kind}`)
      else problems.push(...(await refusal(resource, object)).map((problem) => `${name}: ${problem}`))
    }
    expect(problems).toEqual([])
    const mayBeMissing = process.env.WEIR_TEST_KUBECONFIG ? FOREIGN : [...FOREIGN, ...NOT_EMBEDDED]
    const missing = objects.filter(({ apiVersion, kind }) => unserved.has(`${apiVersion} ${kind}`))
    expect(
      missing
        .map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)
        .filter((kind) => !mayBeMissing.some((one) => kind === one || kind.startsWith(`${one} `))),
    ).toEqual([])
  })
})

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

/** As discovery names it; undefined where it is not served. */
async function resourceOf({ apiVersion, kind }: Rendered): Promise<Resource | undefined> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  try {
    const path = group === '' ? `/api/${version}` : `/apis/${apiVersion}`
    const { resources } = (await plane.client.raw(path)) as ResourceList
    const found = resources.find((resource) => resource.kind === kind && !resource.name.includes('/'))
    return found && { group: group!, version: version!, kind, plural: found.name, namespaced: found.namespaced }
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined
    throw error
  }
}

async function refusal(resource: Resource, object: Rendered): Promise<string[]> {
  const options = { fieldManager: 'helm', force: true, dryRun: true, fieldValidation: 'Strict' } as const
  try {
    await plane.client.apply(resource, object, options)
    return []
  } catch (error) {
    if (error instanceof ApiError) return [error.message]
    throw error
  }
}
