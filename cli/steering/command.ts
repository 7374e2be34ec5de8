import { inClusterFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

const list = (value: string, previous: readonly string[] | undefined) => [...(previous ?? []), ...value.split(',')]

export const command: Verb = {
  usage: 'steering [flags]',
  description: 'run steering, which tells players whom to ask for their files',
  examples: [
    'weir steering --blobs=/var/lib/weir/blobs --data=/var/lib/weir/steering',
    'weir steering --blobs=/var/lib/weir/blobs --dns-listen=:5353 --dns-zone=play.example.com --dns-ns=ns1.example.com',
  ],
  flags: (command) =>
    inClusterFlags(command)
      .option('--listen <address>', 'where players are answered, over HTTP (HTTPS with --tls-cert)', ':8490')
      .option('--tls-cert <file>', 'certificate, PEM')
      .option('--tls-key <file>', 'the certificate’s key, PEM')
      .option('--data <folder>', 'where the last snapshot is kept, to start from it without the API server (not kept)')
      .option(
        '--coverage <file>',
        'sites and regions of clients whose prefixes no Site announces: CSV or JSON of prefix, site, region',
      )
      .option(
        '--bgp-feeds <folder>',
        'routes that appliances hear by BGP, as BIRD or bgpdump -m print them: NAMESPACE/APPLIANCE each',
      )
      .option(
        '--geo-database <file>',
        'countries and coordinates of clients that nothing else knows: a database in MaxMind’s format (.mmdb)',
      )
      .option('--dns-listen <address>', 'where DNS is answered, over UDP and TCP (off)')
      .option('--dns-zone <name>', 'the zone that it answers for, such as play.example.com')
      .option('--dns-ns <name>', 'name of a name server of the zone; may be repeated (else ns.<zone>)', list)
      .option('--dns-ttl <seconds>', 'longest that resolvers may keep an answer', '20')
      .option('--dns-rate <count>', 'answers per second to one network of resolvers; 0: without bound', '1000')
      .option(
        '--trusted-proxies <prefixes>',
        'proxies that are believed when they say for whom they ask, such as 10.0.0.0/8; may be repeated',
        list,
      )
      .option(
        '--forwarding-header <name>',
        'the header by which they say it: X-Forwarded-For or Forwarded; the other one is ignored',
        'X-Forwarded-For',
      )
      .option('--cors-origins <origins>', 'pages whose players may read answers; * for all', list)
      .option('--rate <count>', 'requests per second of one client; 0: without bound', '200')
      .option('--max-connections <count>', 'connections at the same time', '20000')
      .option('--probe-threads <count>', 'threads that probe appliances; 0: they are not probed', '1')
      .option('--probe-rate <count>', 'probes per second by all of them', '30000')
      .option('--decision-log <file>', 'log every decision there, compactly, for `weir steer replay` (off)')
      .option('--decision-log-bytes <bytes>', 'put the log aside at this length; eight are kept', '67108864')
      .option('--decision-log-share <share>', 'share of decisions that are logged, above 0 up to 1', '1'),
  load: async () => (await import('./steering.ts')).runSteering,
}
