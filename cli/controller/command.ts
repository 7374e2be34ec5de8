import { inClusterFlags, wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'controller [flags]',
  description: 'run the controllers against an API server',
  examples: ['weir controller --leader-elect --blobs=/var/lib/weir/blobs'],
  flags: (command) =>
    inClusterFlags(command)
      .option('--leader-elect', 'act only while holding the Lease weir-controller in $POD_NAMESPACE (else weir-system)')
      .option('--lease-duration <duration>', 'how long others wait before they take over from a silent leader', '10s')
      .option('--renew-deadline <duration>', 'how long a leader goes on that cannot renew its Lease', '7s')
      .option('--retry-period <duration>', 'how often the Lease is looked at', '1s')
      .option('--max-dark-share <share>', 'stop moving anything when more than this share of the fleet is dark, 0 to 1')
      .option('--min-dark <count>', 'fewer dark appliances than this never stop anything', wholeNumber),
  load: async () => (await import('./controller.ts')).runController,
}
