import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { DOOR_CONFIG, proxyPath } from '../../cli/plan/blob-door.ts'
import { catalogProtection } from '../../controllers/catalog/protection.ts'
import { customResourceDefinitions } from '../../crds/load.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { BRAKE_DEFAULTS } from '../../reconcilers/brake/brake.ts'
import { HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { chartValues } from '../../scripts/generate/chart.ts'
import { weir } from '../cli/harness.ts'
import { chart, helm, type Rendered, render, required, runHelm, withValues } from './helm.ts'
import { valueSets } from './value-sets.ts'

const valuesText = readFileSync(join(chart, 'values.yaml'), 'utf8')
const whenHelm = helm ? describe : describe.skip

test('values.schema.json knows every value, and no other', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>
    readonly additionalProperties?: unknown
  }
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema
  const paths = (at: Schema, values: JsonObject, parent = ''): string[] =>
    Object.entries(at.properties ?? {}).flatMap(([name, below]) => {
      const path = parent + name
      const value = values[name]
      const described = chartValues(valuesText).some((one) => one.path === path)
      return below.properties && !described ? paths(below, value as JsonObject, `${path}.`) : [path]
    })
  const { global: _, ...properties } = schema.properties ?? {}
  expect(paths({ properties }, parse(valuesText)).sort()).toEqual(
    chartValues(valuesText)
      .map(({ path }) => path)
      .sort(),
  )
})

whenHelm('helm', () => {
  test.each(valueSets)('lints and renders: $why', async ({ namespace, release, values }) => {
    const lint = await withValues(values, (path) => runHelm('lint', '--strict', chart, '-n', namespace, '-f', path))
    expect(lint).toContain('0 chart(s) failed')
    const objects = await render(values, namespace, release)
    for (const { kind, metadata } of objects) {
      expect([kind, metadata.name, metadata.labels?.['app.kubernetes.io/instance']]).toEqual([
        kind,
        metadata.name,
        release,
      ])
      // A Service's name is a DNS label.
      expect(metadata.name!.length).toBeLessThanOrEqual(kind === 'Service' ? 63 : 253)
    }
    const identities = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    expect(new Set(identities).size).toBe(identities.length)
  })

  test.each([
    ['no certificate for the gateway', {}, 'gateway.tls.secretName is required'],
    ['a value that does not exist', { controllers: {} }, 'controllers'],
    ['a value that does not exist, further down', { controller: { replica: 1 } }, 'replica'],
    ['no replica', { controller: { replicas: 0 } }, 'controller/replicas'],
    ['replicas that are no number', { gateway: { replicas: '2' } }, 'gateway/replicas'],
    ['a log level that does not exist', { log: { level: 'verbose' } }, 'log/level'],
    ['a share over one', { controller: { maxDarkShare: 30 } }, 'controller/maxDarkShare'],
    ['a digest that is none', { image: { digest: 'sha256:1' } }, 'image/digest'],
    ['a size that is none', { blobs: { size: 'large' } }, 'blobs/size'],
    ['no access mode', { blobs: { accessModes: [] } }, 'blobs/accessModes'],
    [
      'a coverage file without a volume that it is in',
      { gateway: { tls: { secretName: 'gateway' } }, steering: { clientMap: { coverage: 'clients.csv' } } },
      'steering.clientMap.volume is required',
    ],
    [
      'a path that leads out of the volume',
      { steering: { clientMap: { volume: { configMap: { name: 'clients' } }, coverage: '../etc/passwd' } } },
      'steering/clientMap/coverage',
    ],
    ['a service of an unknown type', { gateway: { service: { type: 'External' } } }, 'gateway/service/type'],
    ['a port that is none', { gateway: { service: { port: 70_000 } } }, 'gateway/service/port'],
    [
      'an address range that is none',
      { gateway: { service: { loadBalancerSourceRanges: ['all'] } } },
      'loadBalancerSourceRanges',
    ],
    [
      'address ranges that nothing would keep to',
      { gateway: { service: { type: 'NodePort', loadBalancerSourceRanges: ['192.0.2.0/24'] } } },
      'needs gateway.service.type LoadBalancer',
    ],
    ['a share over all', { controller: { minAvailable: '120%' } }, 'controller/minAvailable'],
    [
      'an interval without a unit',
      { metrics: { serviceMonitor: { interval: '30' } } },
      'metrics/serviceMonitor/interval',
    ],
    ['an environment variable without a name', { controller: { extraEnv: [{ value: 'x' }] } }, 'controller/extraEnv'],
  ])('refuses %s', async (_, values, told) => {
    const gateway = (values as { gateway?: object }).gateway
    const all = Object.keys(values).length === 0 ? {} : { ...values, gateway: { ...required.gateway, ...gateway } }
    await expect(render(all)).rejects.toThrow(told)
  })

  describe('renders', () => {
    let small: Rendered[]
    let elsewhere: Rendered[]
    let single: Rendered[]
    beforeAll(async () => {
      ;[small, elsewhere, single] = (await Promise.all(
        valueSets.slice(0, 3).map(({ values, namespace, release }) => render(values, namespace, release)),
      )) as [Rendered[], Rendered[], Rendered[]]
    })
    const ofKind = (objects: readonly Rendered[], kind: string) => objects.filter((object) => object.kind === kind)

    test('the CustomResourceDefinitions word for word, kept when the release goes', () => {
      const rendered = ofKind(small, 'CustomResourceDefinition')
      const bare = rendered.map(({ metadata: { labels: _, annotations, ...metadata }, ...crd }) => {
        expect(annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
        return { ...crd, metadata }
      })
      const byName = (a: { metadata: unknown }, b: { metadata: unknown }) =>
        JSON.stringify(a.metadata) < JSON.stringify(b.metadata) ? -1 : 1
      expect(bare.sort(byName)).toEqual([...customResourceDefinitions()].sort(byName as never))
    })

    test('what keeps Catalogs in use from being deleted, as controllers would install it', () => {
      for (const wanted of [catalogProtection.policy, catalogProtection.binding]) {
        const [found] = ofKind(small, wanted.kind)
        expect({ ...found, metadata: { name: found?.metadata.name } }).toEqual(wanted)
      }
    })

    test('the namespace of heartbeats, where the release is in another', () => {
      expect(ofKind(small, 'Namespace')).toEqual([])
      expect(ofKind(elsewhere, 'Namespace').map(({ metadata }) => metadata.name)).toEqual([HEARTBEAT_NAMESPACE])
      const roles = ofKind(elsewhere, 'Role').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      expect(roles.sort()).toEqual([
        'cdn/eu-weir-controller-leader-election',
        'weir-system/eu-weir-controller-heartbeats',
        'weir-system/eu-weir-gateway-heartbeats',
      ])
    })

    test('pods that may do nothing that they need not', () => {
      for (const { spec } of ofKind(small, 'Deployment')) {
        const pod = podOf(spec).spec
        expect(pod.securityContext).toMatchObject({
          runAsNonRoot: true,
          runAsUser: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        expect(pod.containers.map(({ securityContext }) => securityContext)).toEqual([
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            privileged: false,
            capabilities: { drop: ['ALL'] },
          },
        ])
        expect(pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
          'kubernetes.io/hostname',
          'topology.kubernetes.io/zone',
        ])
        const [container] = pod.containers
        expect(Object.keys(container!)).toEqual(
          expect.arrayContaining(['startupProbe', 'livenessProbe', 'readinessProbe', 'resources']),
        )
        // Everything that is written lies on a volume.
        expect(container!.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(
          expect.arrayContaining(['/var/lib/weir/blobs', '/tmp']),
        )
      }
    })

    test('arguments that the programs have', async () => {
      for (const { spec } of ofKind(small, 'Deployment')) {
        const [program, ...args] = podOf(spec).spec.containers[0]!.args
        const { stdout } = await weir([program!, '--help'])
        for (const arg of args) expect(stdout).toContain(`  ${arg.split('=')[0]} `)
      }
    })

    test('the brake as it is without a chart', () => {
      const { controller } = parse(valuesText) as { controller: Readonly<Record<string, number>> }
      expect(controller).toMatchObject(BRAKE_DEFAULTS)
      const args = ofKind(small, 'Deployment').flatMap(({ spec }) => podOf(spec).spec.containers[0]!.args)
      expect(args).toEqual(expect.arrayContaining(['--max-dark-share=0.3', '--min-dark=3']))
    })

    test('bindings of roles and accounts that are there', () => {
      for (const objects of [small, elsewhere, single]) {
        const names = (kind: string) =>
          ofKind(objects, kind).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
        for (const binding of [...ofKind(objects, 'RoleBinding'), ...ofKind(objects, 'ClusterRoleBinding')]) {
          const { roleRef, subjects } = binding as unknown as Binding
          expect(names(roleRef.kind)).toContain(`${binding.metadata.namespace}/${roleRef.name}`)
          for (const subject of subjects)
            expect(names('ServiceAccount')).toContain(`${subject.namespace}/${subject.name}`)
        }
        const used = ofKind(objects, 'Deployment').map(({ spec }) => podOf(spec).spec.serviceAccountName)
        expect(
          ofKind(objects, 'ServiceAccount')
            .map(({ metadata }) => metadata.name)
            .sort(),
        ).toEqual(used.sort())
      }
    })

    test('selectors that choose the pods of their component, and labels that selectors can hold', () => {
      for (const objects of [small, elsewhere]) {
        const pods = ofKind(objects, 'Deployment').map(({ spec }) => ({
          selector: labelsOf(spec, 'selector'),
          labels: podOf(spec).metadata.labels,
        }))
        for (const { selector, labels } of pods) expect(labels).toMatchObject(selector)
        const selectors = [
          ...ofKind(objects, 'Service').map(({ spec }) => spec?.selector),
          ...ofKind(objects, 'PodDisruptionBudget').map(({ spec }) => labelsOf(spec, 'selector')),
          ...ofKind(objects, 'NetworkPolicy').map(({ spec }) => labelsOf(spec, 'podSelector')),
        ]
        expect(selectors).toHaveLength(6 + 3 + 3)
        for (const selector of selectors) {
          expect(pods.filter(({ labels }) => contains(labels, selector as unknown as Labels))).toHaveLength(1)
        }
      }
    })

    test('a door for blobs that plan finds, that its ClusterRole opens, and that no load balancer carries', () => {
      for (const [objects, namespace] of [
        [small, 'weir-system'],
        [elsewhere, 'cdn'],
      ] as const) {
        const config = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === DOOR_CONFIG.name)!
        expect(config.metadata.namespace).toBe(DOOR_CONFIG.namespace)
        const { service } = (config as unknown as { data: { service: string } }).data
        const door = ofKind(objects, 'Service').find(({ metadata }) => metadata.name!.endsWith('-blobs'))!
        expect(service).toBe(`${namespace}/${door.metadata.name}:blobs`)
        expect(door.spec?.type).toBe('ClusterIP')
        const path = proxyPath(service)
        const rules = ofKind(objects, 'ClusterRole').find(({ metadata }) => metadata.name!.endsWith('-planner-view'))!
          .rules!
        const proxied = rules.filter(({ resources }) => resources.includes('services/proxy'))
        expect(proxied).toEqual([
          { apiGroups: [''], resources: ['services/proxy'], resourceNames: [path.split('/')[6]], verbs: ['get'] },
        ])
        expect(rules.flatMap(({ verbs }) => verbs).every((verb) => verb === 'get' || verb === 'list')).toBe(true)
      }
    })

    test('the URL of the demand database out of its Secret, and what publishing demand takes, only where there is one', async () => {
      const { values, namespace, release } = valueSets[3]!
      const all = await render(values, namespace, release)
      const told = (objects: readonly Rendered[]) => {
        const gateway = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name!.endsWith('-gateway'))!
        const role = ofKind(objects, 'ClusterRole').find(({ metadata }) => metadata.name!.endsWith('-gateway'))!
        return {
          env: JSON.stringify(gateway.spec).match(/\{"name":"WEIR_DEMAND".*?\}\}\}/)?.[0],
          rights: role.rules!.filter(({ apiGroups }) => apiGroups.includes('content.weir.dev')).length,
        }
      }
      expect(told(small)).toEqual({ env: undefined, rights: 0 })
      const from = { valueFrom: { secretKeyRef: { key: 'dsn', name: 'demand' } } }
      expect(told(all)).toEqual({ env: JSON.stringify({ name: 'WEIR_DEMAND', ...from }), rights: 3 })
    })

    test('no budget for what runs once: it would only keep its node from being drained', () => {
      expect(ofKind(single, 'PodDisruptionBudget')).toEqual([])
    })
  })

  test('alerts and dashboards are what is in files/, unchanged', async () => {
    const objects = await render(valueSets[3]!.values)
    const kinds = objects.map(({ kind }) => kind)
    expect(kinds).toEqual(expect.arrayContaining(['ServiceMonitor', 'PrometheusRule', 'ConfigMap']))
    for (const object of objects) {
      if (object.kind === 'PrometheusRule') {
        const file = `${object.metadata.name!.replace(/^weir-/, '')}.yaml`
        expect(object.spec).toEqual(parse(readFileSync(join(chart, 'files/alerts', file), 'utf8')))
      }
      if (object.kind === 'ConfigMap' && object.metadata.name !== DOOR_CONFIG.name) {
        const { data } = object as unknown as { data: Record<string, string> }
        for (const [file, text] of Object.entries(data)) {
          expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(chart, 'files/dashboards', file), 'utf8')))
        }
      }
    }
  })
})

type Labels = Readonly<Record<string, string>>
interface PodSpec {
  readonly serviceAccountName: string
  readonly securityContext: JsonObject
  readonly topologySpreadConstraints: readonly { readonly topologyKey: string }[]
  readonly containers: readonly {
    readonly args: readonly string[]
    readonly securityContext: JsonObject
    readonly volumeMounts: readonly { readonly mountPath: string }[]
  }[]
}
interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly name: string; readonly namespace: string }[]
}

function podOf(spec: JsonObject | undefined): { metadata: { labels: Labels }; spec: PodSpec } {
  return spec?.template as unknown as { metadata: { labels: Labels }; spec: PodSpec }
}

function labelsOf(spec: JsonObject | undefined, selector: string): Labels {
  return (spec as unknown as Readonly<Record<string, { matchLabels: Labels }>>)[selector]!.matchLabels
}

function contains(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
