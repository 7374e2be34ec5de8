import { required } from './helm.ts'

export interface ValueSet {
  readonly why: string
  readonly namespace: string
  readonly release: string
  readonly values: object
}

/** Releases that differ in every value that changes what is rendered. */
export const valueSets: readonly ValueSet[] = [
  { why: 'as little as can be said', namespace: 'weir-system', release: 'weir', values: required },
  { why: 'in a namespace of another name', namespace: 'cdn', release: 'eu', values: required },
  {
    why: 'one of each, without what needs several',
    namespace: 'weir-system',
    release: 'weir',
    values: {
      controller: { replicas: 1, minAvailable: null },
      gateway: { ...required.gateway, replicas: 1, service: { type: 'ClusterIP' } },
      steering: { replicas: 1, service: { type: 'ClusterIP' } },
      blobs: { existingClaim: 'blobs' },
      crds: { enabled: false },
      networkPolicy: { enabled: false },
      rbac: { aggregate: false },
    },
  },
  {
    why: 'everything that can be said',
    namespace: 'weir-system',
    release: 'a-release-with-a-long-name-of-fifty-three-letters-x-x',
    values: {
      image: { repository: 'registry.example.com/weir', digest: `sha256:${'a'.repeat(64)}`, pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'pull' }],
      commonLabels: { team: 'cdn' },
      crds: { keep: false },
      log: { level: 'debug' },
      blobs: { storageClassName: 'shared', accessModes: ['ReadWriteOnce'], size: '1Ti' },
      controller: everyPodValue('100%'),
      gateway: {
        ...required.gateway,
        ...everyPodValue(2),
        demand: { postgres: { secretName: 'demand', secretKey: 'dsn' } },
        service: {
          type: 'LoadBalancer',
          port: 443,
          annotations: { 'example.com/pool': 'edge' },
          loadBalancerSourceRanges: ['192.0.2.0/24', '2001:db8::/32'],
        },
      },
      steering: {
        ...everyPodValue(2),
        tls: { secretName: 'play' },
        service: { type: 'LoadBalancer', port: 443, annotations: { 'example.com/pool': 'players' } },
        trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
        corsOrigins: ['https://tv.example.com'],
        ratePerClient: 0,
        probeThreads: 4,
        clientMap: {
          volume: { persistentVolumeClaim: { claimName: 'clients', readOnly: true } },
          ...{ bgpFeeds: 'bgp', coverage: 'coverage.csv', geoDatabase: 'GeoLite2-City.mmdb' },
        },
        dns: { enabled: true, zone: 'play.example.com', nameServers: ['ns1.example.com'] },
        decisionLog: { enabled: true, share: 0.1 },
        dataSize: '20Gi',
      },
      networkPolicy: {
        metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
        egress: [
          { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 443 }] },
          { ports: [{ port: 53, protocol: 'UDP' }] },
        ],
      },
      metrics: {
        serviceMonitor: { enabled: true, interval: '15s', labels: { prometheus: 'main' } },
        prometheusRule: { enabled: true, labels: { prometheus: 'main' } },
        dashboards: { enabled: true },
      },
    },
  },
]

function everyPodValue(minAvailable: number | string): object {
  return {
    replicas: 3,
    minAvailable,
    resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '4Gi' } },
    serviceAccountAnnotations: { 'example.com/role': 'weir' },
    podAnnotations: { 'example.com/scrape': 'true' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'infra', operator: 'Exists' }],
    affinity: { podAntiAffinity: {} },
    priorityClassName: 'system-cluster-critical',
    extraEnv: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://otel:4318' }],
  }
}
