import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { JsonObject } from '../../crds/metadata.ts'
import { defaultCustomResourceDefinition, validateCustomResourceDefinition } from '../../crds/validation/crd.ts'
import { type CustomResourceValidator, compileCustomResource } from '../../crds/validation/custom-resource.ts'
import type { Report } from '../benchmark.ts'

/** How fast objects are validated, and how long CRDs take when a server starts. In time of one processor, not of the clock. */
export async function measureValidation(report: Report): Promise<void> {
  measureStart(report)
  const plain = validator(schema([]))
  const ruled = validator(schema(RULES))
  const object = plain.applyDefaults(plain.decode(sample()).object)
  const bytes = JSON.stringify(object).length
  report.note(`an object of ${bytes} bytes, with nested lists and maps, patterns, enums and formats`)
  const rate = (name: string, atLeast: number, run: () => unknown): void =>
    report.figure({ name, value: perSecond(run), unit: 'per second and core', target: { atLeast } })
  rate('decoded and defaulted', 20_000, () => plain.applyDefaults(plain.decode(object).object))
  rate('validated when created', 20_000, () => plain.validateCreate(object))
  const changed = { ...object, spec: { ...(object.spec as JsonObject), size: 12 } }
  rate('validated when updated', 20_000, () => plain.validateUpdate(changed, object))
  rate(`validated with ${RULES.length} CEL rules`, 10_000, () => ruled.validateCreate(object))
}

/** What a server does with CRDs when it starts: it compiles what it is first asked for, and rules when they first run. */
function measureStart(report: Report): void {
  const folder = new URL('../../crds/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  const crds = files.map((name) => parse(readFileSync(new URL(name, folder), 'utf8')) as JsonObject)
  const validated = cpu(() => {
    for (const crd of crds) {
      const errors = validateCustomResourceDefinition(defaultCustomResourceDefinition(crd))
      if (errors.length > 0) throw new Error(JSON.stringify(errors))
    }
  })
  const loaded = cpu(() => {
    for (const crd of crds) {
      const spec = crd.spec as {
        group: string
        names: { kind: string }
        versions: { name: string; schema: JsonObject }[]
      }
      for (const { name, schema } of spec.versions) {
        const type = { group: spec.group, version: name, kind: spec.names.kind, namespaced: false }
        const made = compileCustomResource({ ...type, schema: schema.openAPIV3Schema as JsonObject })
        made.validateCreate({
          apiVersion: `${spec.group}/${name}`,
          kind: spec.names.kind,
          metadata: { name: 'a' },
          spec: {},
        })
      }
    }
  })
  const target = { atMost: (150 * crds.length) / 10 }
  report.figure({ name: `${crds.length} CRDs validated, rules compiled, cold`, value: validated * 1000, unit: 'ms' })
  report.figure({ name: `${crds.length} CRDs loaded`, value: loaded * 1000, unit: 'ms', target })
}

function validator(openAPIV3Schema: JsonObject): CustomResourceValidator {
  return compileCustomResource({ ...TYPE, namespaced: true, schema: openAPIV3Schema })
}

const TYPE = { group: 'bench.weir.dev', version: 'v1', kind: 'Thing' }

const RULES = [
  'self.size <= 100 && self.size > 0',
  "!has(self.labels) || self.labels.all(k, k.startsWith('l'))",
  'self.windows.all(w, w.hours.size() <= 4 && w.hours.all(h, h >= 0 && h < 24))',
  "self.zone.matches('^[a-z]+-[a-z]+$')",
]

function schema(rules: readonly string[]): JsonObject {
  const text = { type: 'string', maxLength: 100 }
  return {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['name', 'size'],
        ...(rules.length > 0 ? { 'x-kubernetes-validations': rules.map((rule) => ({ rule })) } : {}),
        properties: {
          name: { ...text, pattern: '^[a-z0-9-]+$', minLength: 1 },
          size: { type: 'integer', minimum: 1, maximum: 1000 },
          zone: { ...text, default: 'eu-west' },
          mode: { type: 'string', enum: ['fast', 'slow'], default: 'fast' },
          since: { type: 'string', format: 'date-time' },
          limit: { 'x-kubernetes-int-or-string': true },
          labels: { type: 'object', maxProperties: 20, additionalProperties: text },
          windows: {
            type: 'array',
            maxItems: 20,
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['day'],
            items: {
              type: 'object',
              required: ['day'],
              properties: {
                day: text,
                hours: { type: 'array', maxItems: 24, items: { type: 'integer', minimum: 0, maximum: 23 } },
                bandwidth: {
                  type: 'object',
                  properties: { up: { type: 'number' }, down: { type: 'number', default: 1.5 } },
                },
              },
            },
          },
          tags: { type: 'array', maxItems: 20, 'x-kubernetes-list-type': 'set', items: text },
        },
      },
    },
  }
}

function sample(): JsonObject {
  const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday']
  return {
    apiVersion: 'bench.weir.dev/v1',
    kind: 'Thing',
    metadata: {
      name: 'a-thing',
      namespace: 'default',
      uid: '0b5d0d2a-6e2c-4f0e-8f2e-7f3d1d9a4b11',
      resourceVersion: '12345',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'app.kubernetes.io/name': 'thing', 'app.kubernetes.io/part-of': 'bench' },
      annotations: { note: 'an object that is about as large as ours are' },
    },
    spec: {
      name: 'a-thing',
      size: 11,
      since: '2026-01-01T00:00:00Z',
      limit: '50%',
      labels: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`label-${i}`, `value of label ${i}`])),
      windows: days.map((day) => ({ day, hours: [1, 2, 3, 22], bandwidth: { up: 2.5 } })),
      tags: ['one', 'two', 'three', 'four'],
    },
  }
}

/** Runs in one second of processor time, after a warm-up. */
function perSecond(run: () => unknown): number {
  for (let i = 0; i < 2000; i++) run()
  let runs = 0
  let spent = 0
  while (spent < 0.4) {
    spent += cpu(() => {
      for (let i = 0; i < 500; i++) run()
    })
    runs += 500
  }
  return runs / spent
}

/** Seconds of processor time that something takes. */
function cpu(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
