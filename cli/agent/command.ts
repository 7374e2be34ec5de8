import { wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'agent [flags]',
  description: 'run an appliance’s agent',
  examples: [],
  flags: (command) =>
    command
      .option('--gateway <url>', 'address of the gateway')
      .option('--ca <file>', 'certificate authority of the gateway')
      .option('--appliance <namespace/name>', 'which appliance this is')
      .option('--token-file <file>', 'the appliance’s token')
      .option('--root <folder>', 'where content and state are kept')
      .option('--listen <host:port>', 'where content is served', '127.0.0.1:0')
      .option('--advertise <url>', 'the address by which others reach it')
      .option('--storage-bytes <bytes>', 'content it may hold, where that is less than the disk', wholeNumber),
  load: async () => (await import('./agent.ts')).runAgent,
}
