import { Option } from 'commander'
import { collectCommas, connectionFlags, fileFlags, outputFlag } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'apply -f FILE [flags]',
  description: 'make the server’s objects what the manifests say (server-side apply)',
  examples: [
    'weir apply -f site.yaml',
    'weir apply -R -f fleet/ --wait',
    'cat site.yaml | weir apply -f - --dry-run=server',
  ],
  flags: (command) =>
    connectionFlags(outputFlag(fileFlags(command, 'manifests to apply'), 'name, json, yaml'))
      .addOption(
        new Option(
          '--dry-run <how>',
          'change nothing: ask the server what would happen, or only read and check the files',
        )
          .choices(['none', 'server', 'client'])
          .preset('server'),
      )
      .option(
        '--force-conflicts <field>',
        'take this field over from whoever owns it, such as .spec.mode; may be repeated',
        collectCommas,
      )
      .option('--field-manager <name>', 'who the fields are written down to', 'weir')
      .option('--wait', 'wait until everything applied is healthy')
      .option('--timeout <duration>', 'how long --wait waits', '5m'),
  load: async () => (await import('./apply.ts')).runApply,
}
