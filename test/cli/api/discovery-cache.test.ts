import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { inProcess } from '../in-process.ts'
import { suite } from '../suite.ts'

jest.setTimeout(120_000)

const here = suite()
const { folder } = here

const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\ndata: {a: "1"}\n'

test('what a server serves is asked for once, whatever verbs come after', async () => {
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const env = {
    KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'counted')),
    KUBECACHEDIR: join(folder.path, 'cache'),
  }
  const run = async (args: string, input = '') => {
    const from = proxy.seen.length
    const { code, stderr } = await inProcess(args.split(' '), { env, input })
    const asked = proxy.seen.slice(from).map(({ path }) => path)
    return {
      code,
      stderr,
      discovery: asked.filter((path) => /^\/(api(\/v1)?|apis(\/[^/]+){0,2})$/.test(path)),
    }
  }
  expect((await run('apply -f - --no-wait', config)).discovery).not.toEqual([])
  for (const verb of [
    'get configmaps',
    'get sites,ap -A',
    'describe cm c',
    'events --for cm/c',
    'top sites --once',
    'wait --for=jsonpath={.data.a}=1 cm/c',
    'explain cm.data',
    'drain site none --dry-run',
    'diff -f -',
    'plan -f -',
    'delete -f - --dry-run=server',
    'delete cm c',
  ]) {
    const { code, stderr, discovery } = await run(verb, verb.endsWith('-') || verb.includes('- ') ? config : '')
    expect([verb, discovery]).toEqual([verb, []])
    if (!verb.startsWith('drain')) expect([verb, code, stderr]).toEqual([verb, 0, expect.any(String)])
  }
  // What is not known is asked for again: it may have come since.
  expect((await run('get widgets')).discovery).not.toEqual([])
})
