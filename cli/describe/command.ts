import { connectionFlags, fileFlags, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'describe TYPE [NAME…] | TYPE/NAME… [flags]',
  description: 'everything about an object on one screen: what it should be, what it is, what it waits for',
  examples: ['weir describe appliance fra1-a', 'weir describe site -A'],
  flags: (command) =>
    connectionFlags(selectorFlags(fileFlags(command, 'objects named in manifests')))
      .option('-A, --all-namespaces', 'across all namespaces')
      .option('--no-show-events', 'leave out the events'),
  load: async () => (await import('./describe.ts')).runDescribe,
}
