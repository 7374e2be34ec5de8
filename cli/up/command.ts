import { wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'up [flags]',
  description: 'run a control plane on this machine, with its controllers, gateway, steering and local appliances',
  examples: [
    'weir up --quickstart',
    'weir up --appliances 3 --origin ./films',
    'KUBECONFIG=.weir/kubeconfig kubectl get sites',
  ],
  flags: (command) =>
    command
      .option('--dir <folder>', 'where everything is kept', '.weir')
      .option(
        '--appliances <count>',
        'run agents on this machine, each a process of its own, for at most so many appliances',
        wholeNumber,
      )
      .option('--origin <folder>', 'serve this folder’s files as an origin, with a catalog of them')
      .option('--origin-port <port>', 'port of the origin (else 8480, or any where that is taken)', wholeNumber)
      .option('--port <port>', 'port of the API server (else 6443, or any where that is taken)', wholeNumber)
      .option('--gateway-port <port>', 'port of the gateway (else 6444, or any where that is taken)', wholeNumber)
      .option('--steering-port <port>', 'port of steering (else 8490, or any where that is taken)', wholeNumber)
      .option('--quickstart', 'apply the quickstart example, show it filling, and say what to try next')
      .option('--verbose', 'write the log to stderr rather than to <dir>/weir.log'),
  load: async () => (await import('./up.ts')).runUp,
}
