import { Option } from 'commander'
import { connectionFlags, fileFlags, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'delete TYPE NAME… | TYPE/NAME… | -f FILE [flags]',
  description: 'delete objects',
  examples: ['weir delete ap fra1-a', 'weir delete -f site.yaml', 'weir delete sites -l region=eu'],
  flags: (command) =>
    connectionFlags(selectorFlags(fileFlags(command, 'objects named in manifests')))
      .addOption(new Option('-o, --output <format>', 'output format').choices(['name']))
      .option('--all', 'all objects of the type in the namespace')
      .option('-A, --all-namespaces', 'across all namespaces')
      .addOption(
        new Option('--cascade <how>', 'what happens to owned objects')
          .choices(['background', 'foreground', 'orphan'])
          .default('background'),
      )
      .addOption(new Option('--dry-run <how>', 'delete nothing').choices(['none', 'server', 'client']).preset('server'))
      .option('--ignore-not-found', 'it is no error when an object does not exist')
      .option('--wait', 'wait until finalizers are done and the objects are gone (default)')
      .option('--no-wait', 'do not wait')
      .option('--timeout <duration>', 'how long to wait (0s: a week)', '0s')
      .option('--grace-period <seconds>', 'seconds given to end by itself; 0 only with --force')
      .option('--now', 'the same as --grace-period=1')
      .option('--force', 'take objects away without waiting for what runs them')
      .option('-i, --interactive', 'show what would be deleted, and ask'),
  load: async () => (await import('./delete.ts')).runDelete,
}
