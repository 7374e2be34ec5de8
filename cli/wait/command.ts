import { Option } from 'commander'
import { collect, connectionFlags, fileFlags, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'wait TYPE/NAME… | TYPE [NAME…] --for=CONDITION [flags]',
  description: 'wait until objects are as they should be',
  examples: [
    'weir wait --for=condition=Ready ap --all --timeout=10m',
    "weir wait --for=jsonpath='{.status.phase}'=Ready ap/fra1-a",
    'weir wait --for=delete site/fra1',
  ],
  flags: (command) =>
    connectionFlags(selectorFlags(fileFlags(command, 'objects named in manifests')))
      .addOption(new Option('-o, --output <format>', 'output format').choices(['name']))
      .option(
        '--for <what>',
        'condition=TYPE[=VALUE], jsonpath=PATH[=VALUE], delete, or create; several have to be met all',
        collect,
      )
      .option('--all', 'all objects of the type in the namespace')
      .option('-A, --all-namespaces', 'across all namespaces')
      .option('--timeout <duration>', 'how long to wait (0: look once; negative: a week)', '30s'),
  load: async () => (await import('./wait.ts')).runWait,
}
