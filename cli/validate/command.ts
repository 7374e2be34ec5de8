import { fileFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'validate -f FILE [flags]',
  description: 'check manifests of Weir’s kinds without a server',
  examples: ['weir validate -R -f fleet/'],
  flags: (command) =>
    fileFlags(command, 'manifests to check').option(
      '-n, --namespace <name>',
      'namespace of objects that name none',
      'default',
    ),
  load: async () => (await import('./validate.ts')).runValidate,
}
