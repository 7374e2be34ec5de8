import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
const labelled = (i: number) => ({ labels: { n: String(i), tier: i % 2 === 0 ? 'even' : 'odd' } })
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
  for (let i = 0; i < 7; i++) {
    await server.create(widgets, widget(`w${i}`, { color: i < 3 ? 'blue' : 'green' }, labelled(i)))
  }
})
afterAll(() => server.stop())

const names = (a: Answer) => (a.body.items as unknown as { metadata: { name: string } }[]).map((i) => i.metadata.name)

test('a list tells its kind and the revision it is of', async () => {
  const list = await server.get(widgets)
  expect(list.body).toMatchObject({ kind: 'WidgetList', apiVersion: 'example.com/v1' })
  expect(Number(list.body.metadata!.resourceVersion)).toBeGreaterThan(0)
  expect(names(list)).toEqual(['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6'])
})

describe('selectors', () => {
  test.each<[string, string[]]>([
    ['labelSelector=tier%3Deven', ['w0', 'w2', 'w4', 'w6']],
    ['labelSelector=tier!%3Deven', ['w1', 'w3', 'w5']],
    ['labelSelector=n+in+(1,4)', ['w1', 'w4']],
    ['labelSelector=n+notin+(1,2,3,4,5,6)', ['w0']],
    ['labelSelector=n>4,tier', ['w5', 'w6']],
    ['labelSelector=!tier', []],
    ['fieldSelector=spec.color%3Dblue', ['w0', 'w1', 'w2']],
    ['fieldSelector=spec.color!%3Dblue,metadata.name!%3Dw6', ['w3', 'w4', 'w5']],
    ['fieldSelector=metadata.name%3Dw2', ['w2']],
    ['fieldSelector=metadata.namespace%3Dother', []],
  ])('%s', async (query, expected) => {
    expect(names(await server.get(`${widgets}?${query}`))).toEqual(expected)
  })

  test.each([
    ['fieldSelector=spec.size%3D1', 'field label not supported: spec.size'],
    ['fieldSelector=nonsense', "invalid selector: 'nonsense'; can't understand 'nonsense'"],
    ['labelSelector=a+in+b', "unable to parse requirement: found 'b' expected: '('"],
    ['labelSelector=a%3D-b', 'unable to parse requirement: values[0][a]: Invalid value: "-b"'],
  ])('%s is refused', async (query, message) => {
    const refused = await server.get(`${widgets}?${query}`)
    expect([refused.status, refused.body.reason]).toEqual([400, 'BadRequest'])
    expect(refused.body.message).toContain(message)
  })
})

describe('pages', () => {
  test('make up the list as it was when the first was read', async () => {
    const first = await server.get(`${widgets}?limit=3`)
    expect(first.body.metadata).toMatchObject({ remainingItemCount: 4 })
    await server.create(widgets, widget('w1-later'))
    await server.delete(`${widgets}/w5`)
    const read: string[] = names(first)
    let page = first
    while (page.body.metadata!.continue) {
      page = await server.get(`${widgets}?limit=3&continue=${String(page.body.metadata!.continue)}`)
      expect(page.body.metadata!.resourceVersion).toBe(first.body.metadata!.resourceVersion)
      read.push(...names(page))
    }
    expect(read).toEqual(['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6'])
    await server.delete(`${widgets}/w1-later`)
    await server.create(widgets, widget('w5', { color: 'green' }, labelled(5)))
  })

  test('are full also where a selector leaves out much', async () => {
    const page = await server.get(`${widgets}?limit=2&labelSelector=tier%3Dodd`)
    expect(names(page)).toEqual(['w1', 'w3'])
    expect(page.body.metadata!.remainingItemCount).toBeUndefined()
    const rest = await server.get(
      `${widgets}?limit=2&labelSelector=tier%3Dodd&continue=${String(page.body.metadata!.continue)}`,
    )
    expect([names(rest), rest.body.metadata!.continue]).toEqual([['w5'], undefined])
  })

  test('a token that is none is refused', async () => {
    expect((await server.get(`${widgets}?continue=nonsense`)).status).toBe(400)
  })
})

describe('resourceVersion', () => {
  test('Exact reads the past', async () => {
    const before = await server.get(configMaps)
    await server.create(configMaps, configMap('later'))
    const revision = String(before.body.metadata!.resourceVersion)
    const past = await server.get(`${configMaps}?resourceVersion=${revision}&resourceVersionMatch=Exact`)
    expect([names(past), past.body.metadata!.resourceVersion]).toEqual([names(before), revision])
  })

  test('a revision that has not been yet is refused: try again', async () => {
    const refused = await server.get(`${configMaps}?resourceVersion=999999`)
    expect([refused.status, refused.body.reason, refused.headers['retry-after']]).toEqual([504, 'Timeout', '1'])
    expect(refused.body.details!.causes).toMatchObject([{ reason: 'ResourceVersionTooLarge' }])
  })

  test.each([
    ['resourceVersionMatch=Exact', 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      'resourceVersionMatch \\"exact\\" is forbidden for resourceVersion \\"0\\"',
    ],
    ['resourceVersion=1&resourceVersionMatch=Roughly', 'Unsupported value: \\"Roughly\\"'],
    ['sendInitialEvents=true', 'sendInitialEvents is forbidden for list'],
  ])('%s is refused', async (query, message) => {
    const refused = await server.get(`${configMaps}?${query}`)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain(message)
  })
})

test('all namespaces together', async () => {
  await server.create('/api/v1/namespaces', { metadata: { name: 'other' } })
  await server.create('/apis/example.com/v1/namespaces/other/widgets', widget('elsewhere'))
  expect(names(await server.get('/apis/example.com/v1/widgets?fieldSelector=metadata.namespace%3Dother'))).toEqual([
    'elsewhere',
  ])
})

describe('forms', () => {
  const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};g=meta.k8s.io;v=v1` } })

  test('a Table', async () => {
    const table = await server.get(`${widgets}?limit=1`, accept('Table'))
    expect(table.body).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      columnDefinitions: [{ name: 'Name' }, { name: 'Color' }],
      rows: [{ cells: ['w0', 'blue'] }],
    })
  })

  test('metadata only', async () => {
    const partial = await server.get(`${widgets}?limit=1`, accept('PartialObjectMetadataList'))
    expect(partial.body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ kind: 'PartialObjectMetadata' }],
    })
    expect((partial.body.items as unknown as { spec?: object }[])[0]!.spec).toBeUndefined()
  })

  test('a form that cannot be is refused', async () => {
    const refused = await server.get(widgets, accept('Nonsense'))
    expect([refused.status, refused.body.reason]).toEqual([406, 'NotAcceptable'])
  })

  test('YAML', async () => {
    const yaml = await server.get(`${widgets}/w0`, { headers: { accept: 'application/yaml' } })
    expect(yaml.headers['content-type']).toBe('application/yaml')
    expect(yaml.text).toContain('\n  name: w0\n')
  })
})

test('a large list is compressed for who takes it', async () => {
  for (let i = 0; i < 20; i++) await server.create(configMaps, configMap(`big-${i}`, { a: 'x'.repeat(10_000) }))
  const small = await server.get(`${configMaps}/big-1`, { headers: { 'accept-encoding': 'gzip' } })
  expect(small.headers['content-encoding']).toBeUndefined()
  const list = await server.get(configMaps, { headers: { 'accept-encoding': 'gzip' } })
  expect(list.headers['content-encoding']).toBe('gzip')
  expect(Number(list.headers['content-length'])).toBeLessThan(20_000)
})
