import { describe, expect, test } from '@jest/globals'
import { builtInResources } from '../../../apiserver/builtin/all.ts'
import { isArray } from '../../../apiserver/json.ts'
import type { PrinterColumn, ResourceInfo } from '../../../apiserver/resource.ts'
import { age, humanDuration } from '../../../apiserver/table/duration.ts'
import { toTable } from '../../../apiserver/table/table.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../../crds/metadata.ts'
import { customResource } from '../resource-infos.ts'

const NOW = new Date('2026-01-02T00:00:00Z')
const CREATED = '2026-01-01T23:55:00Z'
const OPTIONS = { includeObject: 'None', apiVersion: 'meta.k8s.io/v1', now: NOW } as const

function builtIn(group: string, kind: string): ResourceInfo {
  const served = builtInResources().find(({ info }) => info.group === group && info.kind === kind)
  if (!served) throw new Error(`${kind} is not served`)
  return served.info
}

function object(fields: JsonObject): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'K',
    metadata: { name: 'x', creationTimestamp: CREATED, resourceVersion: '7' },
    ...fields,
  }
}

describe('built-in kinds', () => {
  test.each<{
    readonly group: string
    readonly kind: string
    readonly fields: JsonObject
    readonly columns: readonly string[]
    readonly cells: readonly JsonValue[]
  }>([
    {
      group: '',
      kind: 'Namespace',
      fields: { status: { phase: 'Active' } },
      columns: ['Name', 'Status', 'Age'],
      cells: ['x', 'Active', '5m'],
    },
    {
      group: '',
      kind: 'ConfigMap',
      fields: { data: { a: '1', b: '2' }, binaryData: { c: '' } },
      columns: ['Name', 'Data', 'Age'],
      cells: ['x', 3, '5m'],
    },
    {
      group: '',
      kind: 'Secret',
      fields: { type: 'Opaque' },
      columns: ['Name', 'Type', 'Data', 'Age'],
      cells: ['x', 'Opaque', 0, '5m'],
    },
    { group: '', kind: 'ServiceAccount', fields: {}, columns: ['Name', 'Age'], cells: ['x', '5m'] },
    {
      group: 'coordination.k8s.io',
      kind: 'Lease',
      fields: { spec: { holderIdentity: 'me' } },
      columns: ['Name', 'Holder', 'Age'],
      cells: ['x', 'me', '5m'],
    },
    {
      group: 'apiextensions.k8s.io',
      kind: 'CustomResourceDefinition',
      fields: {},
      columns: ['Name', 'Created At'],
      cells: ['x', CREATED],
    },
    {
      group: 'rbac.authorization.k8s.io',
      kind: 'RoleBinding',
      fields: {
        roleRef: { kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'User', name: 'v' },
          { kind: 'ServiceAccount', namespace: 'n', name: 'a' },
        ],
      },
      columns: ['Name', 'Role', 'Age', 'Users', 'Groups', 'ServiceAccounts'],
      cells: ['x', 'Role/r', '5m', 'u, v', '', 'n/a'],
    },
    {
      group: 'admissionregistration.k8s.io',
      kind: 'ValidatingAdmissionPolicy',
      fields: { spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'true' }] } },
      columns: ['Name', 'Validations', 'ParamKind', 'Age'],
      cells: ['x', 1, 'v1/ConfigMap', '5m'],
    },
    {
      group: 'admissionregistration.k8s.io',
      kind: 'ValidatingAdmissionPolicyBinding',
      fields: { spec: { policyName: 'p', paramRef: { selector: { matchLabels: { b: '1', a: '2' } } } } },
      columns: ['Name', 'PolicyName', 'ParamRef', 'Age'],
      cells: [
        'x',
        'p',
        '&LabelSelector{MatchLabels:map[string]string{a: 2,b: 1,},MatchExpressions:[]LabelSelectorRequirement{},}',
        '5m',
      ],
    },
    {
      group: '',
      kind: 'Event',
      fields: {
        type: 'Warning',
        reason: 'Why',
        message: ' text\n',
        involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec' },
        source: { component: 'c', host: 'h' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T23:59:59Z',
        count: 4,
      },
      columns: [
        'Last Seen',
        'Type',
        'Reason',
        'Object',
        'Subobject',
        'Source',
        'Message',
        'First Seen',
        'Count',
        'Name',
      ],
      cells: ['1s', 'Warning', 'Why', 'pod/p', 'spec', 'c, h', 'text', '24h', 4, 'x'],
    },
    {
      group: 'events.k8s.io',
      kind: 'Event',
      fields: {
        regarding: { kind: 'Site' },
        note: 'n',
        eventTime: '2026-01-01T23:59:00.000000Z',
        reportingController: 'weir.dev/c',
        series: { count: 3, lastObservedTime: '2026-01-01T23:59:50.000000Z' },
      },
      columns: [
        'Last Seen',
        'Type',
        'Reason',
        'Object',
        'Subobject',
        'Source',
        'Message',
        'First Seen',
        'Count',
        'Name',
      ],
      cells: ['10s', '', '', 'site', '', 'weir.dev/c', 'n', '60s', 3, 'x'],
    },
  ])('$group $kind', ({ group, kind, fields, columns, cells }) => {
    const table = toTable(builtIn(group, kind), [object(fields)], OPTIONS)
    expect((table.columnDefinitions as JsonObject[]).map(({ name }) => name)).toEqual(columns)
    expect(table.rows).toEqual([{ cells, object: null }])
  })
})

describe('columns of custom resources', () => {
  function cell(type: string, jsonPath: string, spec: JsonValue): JsonValue | undefined {
    const resource = customResource({ printerColumns: [{ name: 'C', type, jsonPath }] })
    const [row] = toTable(resource, [object({ spec })], OPTIONS).rows as JsonObject[]
    const cells = row?.cells ?? []
    return isArray(cells) ? cells[1] : undefined
  }

  test.each<[type: string, value: JsonValue, shown: JsonValue]>([
    ['string', 'text', 'text'],
    ['string', 5, '5'],
    ['string', 0.000001, '1e-06'],
    ['string', true, 'true'],
    ['string', null, '<no value>'],
    ['string', ['a', { b: '<' }], '["a",{"b":"\\u003c"}]'],
    ['string', { z: 1, a: 2 }, '{"a":2,"z":1}'],
    ['integer', 5.9, 5],
    ['integer', '5', null],
    ['number', 5.5, 5.5],
    ['boolean', false, false],
    ['boolean', 'false', null],
    ['date', CREATED, '5m'],
    ['date', 'yesterday', '<invalid>'],
    ['date', '', '<unknown>'],
    ['date', 5, null],
    ['array', ['a'], null],
  ])('%s of %j is %j', (type, value, shown) => {
    expect(cell(type, '.spec', value)).toEqual(shown)
  })

  test.each([['.spec.absent'], ['.spec[9]'], ['.spec.x[?(@.y=="z")]']])(
    '%s finds nothing: an empty cell',
    (jsonPath) => {
      expect(cell('string', jsonPath, { x: 'no list' })).toBeNull()
    },
  )

  test('a column whose path cannot be read ends the table', () => {
    const printerColumns: PrinterColumn[] = [
      { name: 'A', type: 'string', jsonPath: '.spec.a' },
      { name: 'B', type: 'string', jsonPath: '.spec[' },
      { name: 'C', type: 'string', jsonPath: '.spec.c' },
    ]
    const table = toTable(customResource({ printerColumns }), [], OPTIONS)
    expect((table.columnDefinitions as JsonObject[]).map(({ name }) => name)).toEqual(['Name', 'A'])
  })

  test('definitions have all that the CRD says, and say where a cell is from if it does not', () => {
    const printerColumns: PrinterColumn[] = [
      { name: 'A', type: 'integer', format: 'int32', description: 'About A', priority: 1, jsonPath: '.spec.a' },
      { name: 'B', type: 'string', jsonPath: '.spec.b' },
    ]
    const table = toTable(customResource({ printerColumns }), [], OPTIONS)
    expect((table.columnDefinitions as JsonObject[]).slice(1)).toEqual([
      { name: 'A', type: 'integer', format: 'int32', description: 'About A', priority: 1 },
      {
        name: 'B',
        type: 'string',
        format: '',
        description: 'Custom resource definition column (in JSONPath format): .spec.b',
        priority: 0,
      },
    ])
  })
})

describe('a Table', () => {
  const resource = customResource()
  const one = object({ spec: { a: 1 } })

  test.each([
    ['None', null],
    ['Metadata', { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1beta1', metadata: one.metadata }],
    ['Object', one],
  ] as const)('carries %s of its objects', (includeObject, carried) => {
    const table = toTable(resource, [one], { ...OPTIONS, includeObject, apiVersion: 'meta.k8s.io/v1beta1' })
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1beta1',
      metadata: { resourceVersion: '7' },
    })
    expect(table.rows).toEqual([{ cells: ['x'], object: carried }])
  })

  test('of a list has the list’s metadata', () => {
    const listMetadata = { resourceVersion: '9', continue: 'c', remainingItemCount: 3 }
    expect(toTable(resource, [one, one], { ...OPTIONS, listMetadata })).toMatchObject({
      metadata: listMetadata,
      rows: [{}, {}],
    })
  })

  test('of a later watch event has no columns', () => {
    expect(toTable(resource, [one], { ...OPTIONS, noHeaders: true }).columnDefinitions).toBeNull()
  })
})

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
test.each([
  [-2 * SECOND, '<invalid>'],
  [-1 * SECOND, '0s'],
  [0, '0s'],
  [119 * SECOND, '119s'],
  [120 * SECOND, '2m'],
  [9 * MINUTE + 59 * SECOND, '9m59s'],
  [10 * MINUTE + 1 * SECOND, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [7 * HOUR + 59 * MINUTE, '7h59m'],
  [8 * HOUR + 1 * MINUTE, '8h'],
  [47 * HOUR, '47h'],
  [48 * HOUR, '2d'],
  [7 * DAY + 23 * HOUR, '7d23h'],
  [8 * DAY + 1 * HOUR, '8d'],
  [729 * DAY, '729d'],
  [730 * DAY, '2y'],
  [731 * DAY, '2y1d'],
  [8 * 365 * DAY + DAY, '8y'],
])('%i ms are printed %s', (milliseconds, printed) => {
  expect(humanDuration(milliseconds)).toBe(printed)
})

test('ages of times in any zone, with fractions', () => {
  expect(age('2026-01-02T00:50:00.123456+01:00', NOW)).toBe('9m59s')
  expect(age('2026-01-02', NOW)).toBe('<invalid>')
  expect(age(undefined, NOW)).toBe('<unknown>')
})
