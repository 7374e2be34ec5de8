import { isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import type { TestType } from './field-manager-types.ts'
import type { Random } from './random.ts'

/** One request. */
export interface Operation {
  readonly verb: 'apply' | 'create' | 'update' | 'merge' | 'strategic'
  readonly manager: string
  readonly apiVersion: string
  readonly subresource?: 'status'
  readonly force?: boolean
  readonly body: JsonValue
}

const APPLIERS = ['alice', 'bob', 'carol', 'kubectl']
const UPDATERS = Array.from({ length: 14 }, (_, i) => `updater-${i}`)

export function randomOperation(random: Random, type: TestType, name: string, live: KubeObject | undefined): Operation {
  const apiVersion = random.of(type.apiVersions)
  const identity = { apiVersion, kind: type.kind }
  if (!live) {
    const body = { ...identity, metadata: randomMetadata(random, name), ...randomContent(random, type, 0.5) }
    if (random.chance(0.5)) return { verb: 'create', manager: random.of(UPDATERS), apiVersion, body }
    return { verb: 'apply', manager: random.of(APPLIERS), apiVersion, body }
  }
  const toStatus = type.hasStatus && random.chance(0.2)
  const subresource = toStatus ? ({ subresource: 'status' } as const) : {}
  const content: JsonObject = {
    ...(random.chance(0.9) && randomContent(random, type, random.of([0.15, 0.4, 0.7]))),
    ...(type.hasStatus && random.chance(toStatus ? 0.9 : 0.3) && { status: randomStatus(random) }),
  }
  const verb = random.of(['apply', 'apply', 'apply', 'update', 'merge'] as const)
  if (verb === 'apply') {
    const body = { ...identity, metadata: randomMetadata(random, name), ...content }
    return { verb, manager: random.of(APPLIERS), apiVersion, ...subresource, force: random.chance(0.5), body }
  }
  const manager = random.of(UPDATERS)
  if (type.builtIn && random.chance(0.3))
    return { verb: 'strategic', manager, apiVersion, body: randomMergePatch(random, content) }
  if (verb === 'merge') return { verb, manager, apiVersion, ...subresource, body: randomMergePatch(random, content) }
  return { verb, manager, apiVersion, ...subresource, body: randomUpdate(random, identity, name, live, content) }
}

/** A whole object: the live one with some fields changed, or anew, sometimes with managedFields of its own. */
function randomUpdate(
  random: Random,
  identity: JsonObject,
  name: string,
  live: KubeObject,
  content: JsonObject,
): JsonObject {
  const old = live as unknown as JsonObject
  const metadata = old.metadata as JsonObject
  if (random.chance(0.25)) {
    const managed = random.chance(0.3) ? { managedFields: random.of<JsonValue>([[], [{}]]) } : {}
    return { ...identity, metadata: { ...randomMetadata(random, name), ...managed }, ...content }
  }
  return { ...old, ...identity, metadata, ...overlaid(old, content) }
}

/** The fields of `content`, maps of them laid over those there are. */
function overlaid(old: JsonObject, content: JsonObject): JsonObject {
  const fields = Object.entries(content).map(([key, value]) => {
    const before = old[key]
    return [key, key !== 'status' && isMap(before) && isMap(value) ? { ...before, ...value } : value]
  })
  return Object.fromEntries(fields) as JsonObject
}

function randomMergePatch(random: Random, content: JsonObject): JsonObject {
  const fields = Object.entries(content).map(([key, value]) => {
    if (key === 'status' || !isMap(value)) return [key, value]
    const changes = Object.entries(value).map(([name, item]) => {
      return [name, random.chance(0.2) && name !== 'ports' ? null : (item ?? null)]
    })
    return [key, Object.fromEntries(changes)]
  })
  return Object.fromEntries(fields) as JsonObject
}

function randomContent(random: Random, type: TestType, density: number): JsonObject {
  const data = (): JsonObject => randomStrings(random)
  switch (type.kind) {
    case 'ConfigMap':
      return {
        ...(random.chance(density + 0.2) && { data: data() }),
        ...(random.chance(density) && { binaryData: random.chance(0.5) ? { x: 'YQ==' } : { y: 'Yg==', x: 'Yw==' } }),
      }
    case 'ServiceAccount':
      return {
        ...(random.chance(density + 0.2) && { secrets: random.some(['a', 'b', 'c'], 0.6).map((name) => ({ name })) }),
        ...(random.chance(density) && {
          imagePullSecrets: random.some(['a', 'b', 'c'], 0.6).map((name) => ({ name })),
        }),
        ...(random.chance(density) && { automountServiceAccountToken: random.chance(0.5) }),
      }
    case 'Lease':
      return {
        spec: {
          ...(random.chance(density) && { holderIdentity: random.of(['me', 'you']) }),
          ...(random.chance(density) && { leaseDurationSeconds: 1 + random.below(3) }),
          ...(random.chance(density) && {
            renewTime: random.of(['2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.500000Z']),
          }),
        },
      }
    default:
      return { spec: randomSpec(random, density) }
  }
}

function randomMetadata(random: Random, name: string): JsonObject {
  return {
    name,
    ...(random.chance(0.3) && { labels: randomStrings(random) }),
    ...(random.chance(0.2) && { finalizers: random.some(['weir.dev/a', 'weir.dev/b'], 0.6) }),
    ...(random.chance(0.2) && { annotations: randomStrings(random) }),
  }
}

function randomStrings(random: Random): JsonObject {
  return Object.fromEntries(
    random.some(['a', 'b', 'c'], 0.6).map((key) => [key, random.of(['1', '2', '<&>'].slice(0, 2))]),
  )
}

function randomStatus(random: Random): JsonObject {
  return {
    ...(random.chance(0.7) && { phase: random.of(['Up', 'Down']) }),
    ...(random.chance(0.7) && {
      conditions: random.some(['Ready', 'Online'], 0.6).map((type) => ({
        type,
        status: random.of(['True', 'False']),
        ...(random.chance(0.5) && { reason: random.of(['X', 'Y']) }),
      })),
    }),
  }
}

function randomSpec(random: Random, density: number): JsonObject {
  const pair = (): JsonObject => ({
    ...(random.chance(0.6) && { a: random.below(3) }),
    ...(random.chance(0.6) && { b: random.of(['x', 'y']) }),
  })
  const fields: Readonly<Record<string, () => JsonValue>> = {
    replicas: () => random.below(3),
    ratio: () => random.of([0.5, 1, 2.25]),
    name: () => random.of(['x', 'y', '']),
    on: () => random.chance(0.5),
    maybe: () => random.of([null, 'x']),
    size: () => random.of<JsonValue>([1, '10%']),
    labels: () => randomStrings(random),
    whole: () => randomStrings(random),
    pair,
    wholePair: pair,
    list: () => random.some(['x', 'y', 'z'], 0.5),
    tags: () => random.some(['x', 'y', '<b>&"q"\\'], 0.5),
    numbers: () => random.some([1, 2, 10, -1], 0.5),
    ports: () => randomPorts(random),
    byName: () =>
      Object.fromEntries(
        random
          .some(['k', 'l'], 0.6)
          .map((key) => [key, { ...pair(), ...(random.chance(0.5) && { tags: random.some(['x', 'y'], 0.5) }) }]),
      ),
    free: () =>
      random.of<JsonValue>([
        {},
        { x: 1 },
        { x: { y: 1 } },
        { x: { y: 1, z: [1, { a: 1 }] } },
        { x: 'text', w: null },
        { x: [] },
      ]),
    halfFree: () => ({ ...(random.chance(0.5) && { pair: pair() }), ...(random.chance(0.5) && { other: pair() }) }),
    embedded: () => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', ...(random.chance(0.5) && { labels: { a: random.of(['1', '2']) } }) },
      ...(random.chance(0.5) && { data: pair() }),
    }),
  }
  return Object.fromEntries(random.some(Object.keys(fields), density).map((key) => [key, fields[key]?.() ?? null]))
}

function randomPorts(random: Random): JsonValue {
  return random.some([80, 443, 8080], 0.6).map((port) => ({
    port,
    ...(random.chance(0.5) && { protocol: random.of(['TCP', 'UDP']) }),
    ...(random.chance(0.5) && { name: random.of(['http', 'web']) }),
    ...(random.chance(0.3) && { options: randomStrings(random) }),
    ...(random.chance(0.4) && {
      routes: random
        .some(['r', 's', 't'], 0.6)
        .map((name) => ({ name, ...(random.chance(0.7) && { to: random.of(['u', 'v']) }) })),
    }),
  }))
}
