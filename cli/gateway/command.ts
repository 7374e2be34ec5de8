import { inClusterFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'gateway [flags]',
  description: 'run the gateway, the appliances’ door',
  examples: ['weir gateway --listen=:8443 --tls-cert=tls.crt --tls-key=tls.key --blobs=/var/lib/weir/blobs'],
  flags: (command) =>
    inClusterFlags(command)
      .option('--listen <address>', 'where appliances are served, over HTTPS', ':8443')
      .option('--tls-cert <file>', 'its certificate, PEM')
      .option('--tls-key <file>', 'the certificate’s key, PEM')
      .option(
        '--blobs-listen <address>',
        'where blobs are handed to who knows their digests, for `weir plan` through the API server’s proxy (off)',
      )
      .option(
        '--demand <file-or-url>',
        'where what clients ask for is kept: a file (SQLite), or postgres://… to share it among gateways (else $WEIR_DEMAND; not kept)',
      )
      .option(
        '--id <name>',
        'names this gateway among others, across its restarts (else $POD_NAME, or the host’s name)',
      ),
  load: async () => (await import('./gateway.ts')).runGateway,
}
