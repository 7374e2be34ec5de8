import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { appliances, assignments, hardwareClasses, sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { type Resource, secrets } from '../../runtime/client/resource.ts'
import { parseTraceparent } from '../../runtime/tracing/otlp.ts'
import { TRACEPARENT_ANNOTATION } from '../../runtime/tracing/tracing.ts'
import { Program } from '../drills/support/controller-process.ts'
import { type Ask, ask as askGateway, report, type TestAppliance, TestStream } from '../gateway/harness.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from './control-plane.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
  readonly links?: readonly { readonly traceId: string }[]
}

/** What OTLP/HTTP in JSON carries, as far as it matters here. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

let plane: ControlPlane
let collector: Server
let endpoint: string
const spans: Span[] = []
const services = new Set<string | undefined>()

beforeAll(async () => {
  plane = await startControlPlane()
  collector = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Export
    for (const { resource, scopeSpans } of resourceSpans) {
      services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue)
      for (const scope of scopeSpans) spans.push(...scope.spans)
    }
    res.writeHead(req.url === '/v1/traces' ? 200 : 404, { 'Content-Type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
})
afterAll(async () => {
  collector?.close()
  await plane?.[Symbol.asyncDispose]()
})

function put<T extends KubeObject>(resource: Resource<T>, metadata: KubeObject['metadata'], spec: object): Promise<T> {
  const { group, version, kind } = resource
  const object = { apiVersion: `${group}/${version}`, kind, metadata, spec } as unknown as T
  return plane.client.apply(resource, object, { fieldManager: 'test', force: true })
}

const attribute = (span: Span, name: string) => span.attributes.find(({ key }) => key === name)?.value.stringValue

test('a change and its effects, as far as the appliance, are one trace, over OTLP', async () => {
  const ns = await freshNamespace(plane.client, 'tracing')
  const args = ['controller', `--kubeconfig=${plane.kubeconfigPath}`, `--blobs=${join(plane.dir, 'traced')}`]
  await using controller = new Program([...args, '--metrics-listen=127.0.0.1:0'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    POD_NAME: 'traced',
  })
  await controller.said('the controllers have been started')
  const pki = await ensureCertificates({ folder: join(plane.dir, 'pki-gateway'), now: new Date() })
  const pem = (name: string, text: string) => {
    writeFileSync(join(plane.dir, name), text)
    return join(plane.dir, name)
  }
  const tls = [`--tls-cert=${pem('tls.crt', pki.server.certificate)}`, `--tls-key=${pem('tls.key', pki.server.key)}`]
  await using gateway = new Program(
    ['gateway', ...args.slice(1), '--listen=127.0.0.1:0', '--metrics-listen=127.0.0.1:0', '--id=traced', ...tls],
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  )
  const { url } = await gateway.said('the gateway listens')
  await put(hardwareClasses, { name: 'small' }, { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 })
  const siteSpec = { country: 'DE', metro: 'fra', timeZone: 'UTC', network: { prefixes: [] } }
  await put(sites, { namespace: ns, name: 'fra' }, siteSpec)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const annotations = { [TRACEPARENT_ANNOTATION]: `00-${traceId}-b7ad6b7169203331-01` }
  const spec = { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } }
  await put(appliances, { namespace: ns, name: 'box', annotations }, spec)

  const named = (name: string) => spans.filter((span) => span.name === name && span.traceId === traceId)
  await eventually(async () => named('apply Assignment').length > 0, 'the write of the Assignment is told')
  const write = named('apply Assignment')[0]!
  expect(attribute(write, 'weir.object')).toBe(`${ns}/box`)
  expect(attribute(write, 'weir.field_manager')).toBe('weir-assignment')
  const cause = named('reconcile assignment').find(({ spanId }) => spanId === write.parentSpanId)!
  expect(attribute(cause, 'weir.key')).toBe(`${ns}/box`)
  expect(attribute(cause, 'weir.result')).toBe('done')
  expect(services).toContain('weir-controller')

  // What the Assignment has set off, in another controller.
  await eventually(async () => {
    const effects = spans.filter(
      (span) => span.name === 'reconcile appliance' && attribute(span, 'weir.key') === `${ns}/box`,
    )
    return effects.some(
      ({ traceId: of, links = [] }) => of === traceId || links.some((link) => link.traceId === traceId),
    )
  }, 'the trace goes on in the appliance controller')

  // The gateway goes on in it: the appliance hears of its next Assignment, takes it up, and gets there.
  const secret = await eventually(
    () => plane.client.find(secrets, { namespace: ns, name: tokenSecretName('box') }),
    'the appliance has a token',
  )
  const token = Buffer.from(secret.data?.token ?? '', 'base64').toString()
  const box: TestAppliance = { namespace: ns, name: 'box', key: `${ns}/box`, path: `/v1/appliances/${ns}/box`, token }
  const ask = (path: string, options: Ask) =>
    askGateway(`${url}${box.path}${path}`, { ca: pki.authority, token, ...options })
  await eventually(async () => (await ask('/sources', {})).status === 200, 'it is let in')
  const stream = await TestStream.open(`${url}`, box, pki.authority)
  await eventually(async () => stream.generations.length > 0, 'it hears of its first Assignment')
  const second = '11111111111111111111111111111111'
  await put(
    appliances,
    { namespace: ns, name: 'box', annotations: { [TRACEPARENT_ANNOTATION]: `00-${second}-b7ad6b7169203331-01` } },
    { ...spec, mode: 'Draining' },
  )
  await eventually(async () => stream.generations.length > 1, 'it hears of the change')
  const generation = stream.generations.at(-1)!
  const tell = (bytesToFill: number) =>
    ask('/status', { method: 'PUT', body: report({ generation, filesDesired: 0, bytesDesired: 0, bytesToFill }) })
  await tell(10)
  const told = (name: string) =>
    spans.filter((span) => span.traceId === second && span.name === name && attribute(span, 'weir.key') === box.key)
  await eventually(async () => told('appliance took up').length === 1, 'it is told that it has taken it up')
  await tell(0)
  await eventually(async () => told('appliance converged').length === 1, 'it is told that it holds it')
  expect(told('tell assignment')).toHaveLength(1)
  expect(told('appliance took up')).toHaveLength(1)
  const [wrote] = spans.filter(({ name, traceId: of }) => name === 'apply Assignment' && of === second)
  expect(told('tell assignment')[0]!.parentSpanId).toBe(wrote!.spanId)
  expect(told('appliance converged')[0]!.parentSpanId).toBe(wrote!.spanId)
  expect(services).toContain('weir-gateway')

  // Only Assignments carry it, and for it alone nothing is written: not when everything is looked at again.
  const before = await plane.client.get(assignments, { namespace: ns, name: 'box' })
  expect(before.metadata.annotations?.[TRACEPARENT_ANNOTATION]).toBe(`00-${second}-${wrote!.spanId}-01`)
  const site = await put(
    sites,
    { namespace: ns, name: 'fra', labels: { look: 'again' } },
    { ...siteSpec, metro: 'muc' },
  )
  const looked = () => spans.filter((s) => s.name === 'reconcile assignment' && attribute(s, 'weir.key') === box.key)
  const looks = looked().length
  await put(sites, { namespace: ns, name: 'fra' }, { ...siteSpec, metro: 'ber' })
  await eventually(async () => looked().length > looks, 'the Assignment is looked at again')
  expect((await plane.client.get(assignments, { namespace: ns, name: 'box' })).metadata).toEqual(before.metadata)
  expect(JSON.stringify(site.metadata)).not.toContain(second)
  stream.close()
  gateway.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
  controller.kill('SIGTERM')
  expect(await controller.exited).toBe(0)
})

test.each([
  ['not sampled', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', 0],
  ['sampled', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 1],
  ['of a later version', '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', undefined],
  ['without a trace', '00-00000000000000000000000000000000-b7ad6b7169203331-01', undefined],
  ['without a span', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', undefined],
  ['anything', 'hello', undefined],
])('a traceparent that is %s', (_, text, flags) => {
  expect(parseTraceparent(text)?.traceFlags).toBe(flags)
})
