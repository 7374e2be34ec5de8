import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findKubectl, type Ran, runKubectl } from '../support/kubectl.ts'
import { TestServer } from '../support/test-server.ts'
import { widgetCrd } from '../support/widgets.ts'

const kubectl = findKubectl() ?? ''
const suite = kubectl === '' ? describe.skip : describe

let server: TestServer
beforeAll(async () => {
  if (kubectl !== '') server = await TestServer.start()
})
afterAll(() => server?.stop())

/** Runs kubectl, and fails the test where it fails. */
async function run(command: string, stdin?: string): Promise<string> {
  const ran = await attempt(command, stdin)
  if (ran.code !== 0) throw new Error(`kubectl ${command}: ${ran.stderr}`)
  return ran.stdout
}

function attempt(command: string, stdin?: string): Promise<Ran> {
  return runKubectl(kubectl, server.server.kubeconfigPath, command.split(' '), stdin)
}

const widget = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, spec })

suite('kubectl (needs it in KUBEBUILDER_ASSETS or on the PATH)', () => {
  test('works with custom resources from their CRD to their end', async () => {
    expect(await run('apply -f -', JSON.stringify(widgetCrd))).toContain('widgets.example.com created')
    expect(await run('wait --for=condition=Established crd/widgets.example.com --timeout=5s')).toContain(
      'condition met',
    )
    expect(await run('explain widget.spec.color')).toContain('FIELD: color <string>')
    expect(await run('apply -f -', widget('w', { replicas: 1 }))).toContain('widget.example.com/w created')
    expect(await run('apply -f -', widget('w', { replicas: 1 }))).toContain('unchanged')
    expect(await run('get wd w')).toMatch(/NAME +COLOR\nw +red\n/)
    const diff = await attempt('diff -f -', widget('w', { replicas: 2 }))
    expect([diff.code, /^-.*replicas: 1$/m.test(diff.stdout), /^\+.*replicas: 2$/m.test(diff.stdout)]).toEqual([
      1,
      true,
      true,
    ])
    expect(await run('apply --server-side --force-conflicts -f -', widget('w', { replicas: 2 }))).toContain(
      'serverside-applied',
    )
    expect(await run('scale widget w --replicas=5')).toContain('scaled')
    expect(await run('get widget w -o jsonpath={.spec.replicas}')).toBe('5')
    const patch = ['patch', 'widget', 'w', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Up"}}']
    expect((await runKubectl(kubectl, server.server.kubeconfigPath, patch)).stdout).toContain('patched')
    expect(await run('wait --for=jsonpath={.status.phase}=Up widget/w --timeout=5s')).toContain('condition met')
    expect(await run('delete widget w')).toContain('deleted')
    expect(await run('get widgets')).toBe('')
  })

  test('refuses a manifest with an unknown field, and says which', async () => {
    await run('apply -f -', JSON.stringify(widgetCrd))
    const refused = await attempt('apply -f -', widget('typo', { colour: 'red' }))
    expect([refused.code, refused.stderr.includes('unknown field "spec.colour"')]).toEqual([1, true])
  })

  test('creates built-in kinds, which newer ones send as protobuf', async () => {
    expect(await run('create namespace tenant')).toContain('namespace/tenant created')
    await run('create configmap cm -n tenant --from-literal=a=1 --from-literal=b=2')
    expect(await run('get cm cm -n tenant -o jsonpath={.data}')).toBe('{"a":"1","b":"2"}')
    await run('create secret generic s -n tenant --from-literal=p=hidden')
    expect(await run('get secret s -n tenant -o jsonpath={.data.p}')).toBe(Buffer.from('hidden').toString('base64'))
    await run('create serviceaccount robot -n tenant')
    await run('create role r -n tenant --verb=get,list --resource=configmaps')
    await run('create rolebinding rb -n tenant --role=r --serviceaccount=tenant:robot')
    expect(await run('auth can-i list configmaps -n tenant --as=system:serviceaccount:tenant:robot')).toBe('yes\n')
    const no = await attempt('auth can-i delete configmaps -n tenant --as=system:serviceaccount:tenant:robot')
    expect([no.code, no.stdout]).toEqual([1, 'no\n'])
    expect(await run('auth whoami')).toContain('weir-admin')
    expect(await run('delete namespace tenant')).toContain('deleted')
    expect((await attempt('get cm cm -n tenant')).stderr).toContain('NotFound')
  })

  test('follows changes as they come', async () => {
    await run('create configmap followed')
    const config = server.server.kubeconfigPath
    const child = spawn(kubectl, [
      '--kubeconfig',
      config,
      'get',
      'cm',
      'followed',
      '--watch',
      '-o',
      'jsonpath={.data.n}{"\\n"}',
    ])
    let out = ''
    child.stdout.on('data', (d) => {
      out += String(d)
    })
    const seen = async (n: string) => {
      const end = Date.now() + 30_000
      while (!out.includes(`${n}\n`)) {
        if (Date.now() > end) throw new Error(`kubectl get --watch printed ${JSON.stringify(out)}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    try {
      await seen('')
      for (const n of ['1', '2', '3']) {
        await run(`patch cm followed --type=merge -p {"data":{"n":"${n}"}}`)
        await seen(n)
      }
    } finally {
      child.kill()
    }
  })

  test('lists in pages, in every form', async () => {
    for (let i = 0; i < 5; i++) await run(`create configmap page-${i}`)
    expect((await run('get cm --chunk-size=2 -o name')).split('\n').filter((l) => l.includes('page-'))).toHaveLength(5)
    expect(await run('get cm page-1 -o yaml')).toContain('kind: ConfigMap')
    expect(await run('get cm -l nothing=here')).toBe('')
    expect(await run('get events')).toBe('')
    expect(await run('api-resources -o name')).toContain('configmaps\n')
    expect(await run('api-versions')).toContain('apiextensions.k8s.io/v1\n')
    expect(await run('describe cm page-1')).toContain('Name:         page-1')
  })

  test('edits labels and annotations, and replaces', async () => {
    await run('create configmap edited --from-literal=a=1')
    expect(await run('label cm edited x=y')).toContain('labeled')
    expect(await run('annotate cm edited k=v')).toContain('annotated')
    const object = JSON.parse(await run('get cm edited -o json')) as { data: object }
    expect(await run('replace -f -', JSON.stringify({ ...object, data: { a: '2' } }))).toContain('replaced')
    const stale = await attempt('replace -f -', JSON.stringify({ ...object, data: { a: '3' } }))
    expect([stale.code, stale.stderr.includes('the object has been modified')]).toEqual([1, true])
  })
})

if (kubectl === '') test.todo('kubectl is neither in KUBEBUILDER_ASSETS nor on the PATH: its tests were left out')
