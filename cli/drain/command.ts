import { type Command, Option } from 'commander'
import { collectCommas, connectionFlags, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

/** The flags of `drain` and `restore`. */
export function drainFlags(command: Command, timeout: string): Command {
  return connectionFlags(selectorFlags(command))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['name']))
    .option('--all', 'all of the type in the namespace')
    .option('-A, --all-namespaces', 'across all namespaces')
    .addOption(
      new Option('--dry-run <how>', 'change nothing: say what would happen')
        .choices(['none', 'server', 'client'])
        .preset('server'),
    )
    .option('--force-conflicts <field>', 'take .spec.mode over from whoever owns it', collectCommas)
    .option('--wait', 'wait until it is so (default)')
    .option('--no-wait', 'do not wait')
    .option('--timeout <duration>', 'how long to wait (0s: a week)', timeout)
}

export const command: Verb = {
  usage: 'drain appliance|site NAME… | TYPE/NAME… [flags]',
  description: 'have clients sent elsewhere, keeping the bytes, and wait until nobody is sent there',
  examples: ['weir drain appliance fra1-a', 'weir drain site/fra1 --dry-run', 'weir drain ap -l rack=7 --timeout=30m'],
  flags: (command) => drainFlags(command, '10m'),
  load: async () => (await import('./drain.ts')).runDrain,
}
