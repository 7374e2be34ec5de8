import { connectionFlags, outputFlag } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'version [flags]',
  description: 'print the versions of this program and of the server',
  examples: ['weir version', 'weir version --client -o json'],
  flags: (command) => connectionFlags(outputFlag(command, 'json, yaml')).option('--client', 'of this program only'),
  load: async () => (await import('./version.ts')).runVersion,
}
