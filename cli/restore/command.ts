import { drainFlags } from '../drain/command.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'restore appliance|site NAME… | TYPE/NAME… [flags]',
  description: 'take back a drain: clients are sent there again',
  examples: ['weir restore appliance fra1-a', 'weir restore site/fra1'],
  flags: (command) => drainFlags(command, '5m'),
  load: async () => (await import('../drain/drain.ts')).runRestore,
}
