import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { type Controllers, startControllers } from '../../controllers/main.ts'
import { appliances, placementPolicies, sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { kinds } from '../../crds/registry.gen.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { type ControlPlane, eventually, startControlPlane } from '../controllers/control-plane.ts'
import { findProgram } from '../kube/assets.ts'

const folder = join(import.meta.dirname, '../../examples/gitops')
const kubectl = findProgram('kubectl')
if (!kubectl) console.warn('there is no kubectl in KUBEBUILDER_ASSETS or on the PATH: the overlays are not built')
const whenKubectl = kubectl ? describe : describe.skip

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], stdin = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, KUBECONFIG: plane?.kubeconfigPath ?? '', KUBECTL_EXTERNAL_DIFF: 'diff -u' }
    const child = execFile(kubectl!, args, { env, timeout: 80_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
  })
}

let plane: ControlPlane | undefined

test('Argo CD and Flux deploy an overlay that is there, and know every kind that reports', () => {
  const application = parse(readFileSync(join(folder, 'argocd/application.yaml'), 'utf8'))
  const [, kustomization] = parseAllDocuments(readFileSync(join(folder, 'flux/kustomization.yaml'), 'utf8')).map((d) =>
    d.toJS(),
  )
  for (const path of [application.spec.source.path, kustomization.spec.path]) {
    expect(readFileSync(join(folder, path, 'kustomization.yaml'), 'utf8')).toContain('cdn-production')
  }
  const config = parse(readFileSync(join(folder, 'argocd/health.yaml'), 'utf8'))
  const customizations = parse(config.data['resource.customizations'])
  expect(Object.keys(customizations)).toEqual(['*.weir.dev/*'])
  const script: string = customizations['*.weir.dev/*']['health.lua']
  const named = [...script.matchAll(/obj\.kind == "(\w+)"/g)].map(([, kind]) => kind)
  expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(named))
})

whenKubectl('an overlay', () => {
  let controllers: Controllers | undefined
  beforeAll(async () => {
    plane = await startControlPlane()
    controllers = startControllers({
      client: plane.client,
      blobs: plane.blobs,
      placement: { fleetDelayMs: 20, progressDelayMs: 20 },
      site: { progressDelayMs: 20 },
      assignment: { drainSeconds: 0 },
      brake: { maxDarkShare: 1, minDark: 1 },
    })
    await controllers.started
  }, 90_000)
  afterAll(async () => {
    // While there is somebody to take the finalizers away.
    await run(['delete', 'namespace', 'cdn-staging', 'cdn-production', '--ignore-not-found', '--timeout=20s'])
    await controllers?.close()
    await plane?.[Symbol.asyncDispose]()
  }, 90_000)

  test.each([
    ['staging', [], 1],
    ['production', ['--server-side', '--field-manager=argocd-controller'], 2],
  ] as const)(
    '%s builds, is applied, and stays as it is however controllers work on it',
    async (name, how, boxes) => {
      const built = await run(['kustomize', join(folder, 'overlays', name)])
      expect(built).toMatchObject({ code: 0, stderr: '' })
      const objects = parseAllDocuments(built.stdout).map((document) => document.toJS() as KubeObject)
      const applied = await run(['apply', ...how, '-f', '-'], built.stdout)
      expect(applied.code === 0 || applied.stderr).toBe(true)
      expect(applied.stdout.trim().split('\n')).toHaveLength(objects.length)

      const namespace = `cdn-${name}`
      const written = async <T extends KubeObject>(resource: Resource<T>, done: (object: T) => boolean) => {
        await eventually(async () => {
          const { items } = await plane!.client.list(resource, { namespace })
          return items.length > 0 && items.every(done)
        }, `controllers have written every ${resource.kind}`)
      }
      await written(
        sites,
        ({ status, metadata }) => status?.appliances?.total === boxes && metadata.finalizers?.length === 1,
      )
      await written(appliances, ({ status }) => (status?.conditions?.length ?? 0) > 0)
      await written(placementPolicies, ({ status }) => (status?.conditions?.length ?? 0) > 0)

      const diff = await run(['diff', ...how, '-f', '-'], built.stdout)
      expect(diff).toEqual({ code: 0, stdout: '', stderr: '' })
      const again = await run(['apply', ...how, '-f', '-'], built.stdout)
      expect(again.stderr).toBe('')
      if (how.length === 0) expect(again.stdout.match(/ unchanged$/gm)).toHaveLength(objects.length)
    },
    60_000,
  )
})
