import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { configMaps } from '../../../runtime/client/resource.ts'
import { freshNamespace } from '../../controllers/control-plane.ts'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { inProcess } from '../in-process.ts'
import { suite } from '../suite.ts'

jest.setTimeout(120_000)

const here = suite()
const { folder } = here

const manifests = (namespace: string) =>
  `apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: user, namespace: ${namespace}}\nspec: {country: DE, metro: x}\n---\n` +
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: used, namespace: ${namespace}}\ndata: {a: "1"}\n`

test.each<[string, string[], (namespace: string) => string, string]>([
  [
    'deleting',
    ['delete', '-f', '-'],
    manifests,
    'site.fleet.weir.dev "user" deleted from NS namespace\nconfigmap "used" deleted from NS namespace\n',
  ],
  [
    'pruning',
    ['apply', '-f', '-', '--applyset=set', '--prune', '--yes', '--no-wait'],
    (namespace) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: ${namespace}}\n`,
    'configmap/other created\nsite.fleet.weir.dev/user pruned\nconfigmap/used pruned\n',
  ],
])(
  '%s: what admission holds to be in use, by what went just before, is tried again',
  async (_what, args, input, told) => {
    const namespace = await freshNamespace(here.server.client, 'unused')
    await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
    const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, namespace)) }
    const run = (words: readonly string[], text: string) => inProcess([...words, '-n', namespace], { env, input: text })
    expect(await run(['apply', '-f', '-', '--applyset=set', '--no-wait'], manifests(namespace))).toMatchObject({
      code: 0,
    })
    let refused = 0
    // As an admission policy does until its controller has seen that the site is gone.
    proxy.fault = ({ verb, resource, dryRun }) =>
      verb === 'delete' && resource === 'configmaps' && !dryRun && refused++ < 3
        ? { type: 'answer', status: 403, reason: 'Forbidden' }
        : undefined
    const { code, stdout, stderr } = await run(args, input(namespace))
    expect({ code, stdout: stdout.replaceAll(namespace, 'NS') }).toEqual({ code: 0, stdout: told })
    expect(stderr).not.toContain('Forbidden')
    expect(refused).toBe(4)
    expect(await here.server.client.find(configMaps, { namespace, name: 'used' })).toBeUndefined()
  },
)

test('what stays refused is waited for once, however much of it there is, and not beyond --timeout', async () => {
  const namespace = await freshNamespace(here.server.client, 'unused')
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, namespace)) }
  const configs = Array.from({ length: 50 }, (_, i) =>
    manifests(namespace).split('---\n')[1]!.replace('used', `used-${i}`),
  )
  const input = [manifests(namespace), ...configs].join('---\n')
  expect(await inProcess(['apply', '-f', '-', '--no-wait'], { env, input })).toMatchObject({ code: 0 })
  let asked = 0
  proxy.fault = ({ verb, resource }) => {
    if (verb !== 'delete' || resource !== 'configmaps') return undefined
    asked++
    return { type: 'answer', status: 403, reason: 'Forbidden' }
  }
  const { code } = await inProcess(['delete', '-f', '-', '--timeout=300ms'], { env, input })
  expect(code).toBe(3)
  // Once each, and again while the command has time: of its own five seconds, each was asked for some fifty times.
  expect(asked).toBeGreaterThanOrEqual(50)
  expect(asked).toBeLessThan(500)
})

test('what is refused before anything else went is told at once', async () => {
  const namespace = await freshNamespace(here.server.client, 'unused')
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, namespace)) }
  let refused = 0
  proxy.fault = ({ verb }) => {
    if (verb !== 'delete') return undefined
    refused++
    return { type: 'answer', status: 403, reason: 'Forbidden' }
  }
  const { code } = await inProcess(['delete', 'cm', 'none', '-n', namespace], { env })
  expect([code, refused]).toEqual([3, 1])
})
