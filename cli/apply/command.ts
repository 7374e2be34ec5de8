import { Option } from 'commander'
import { collectCommas, connectionFlags, fileFlags, outputFlag, wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'apply -f FILE [flags]',
  description: 'make the server’s objects what the manifests say (server-side apply)',
  examples: [
    'weir apply -f site.yaml',
    'weir apply -R -f fleet/ --applyset=fleet --prune --max-deletes=5 --yes',
    'weir plan -R -f fleet/ --out plan.json && weir apply --plan plan.json',
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
      .option(
        '--applyset <[type/]name>',
        'the set that these manifests are all of, kept in this object (a Secret unless a type is given)',
      )
      .option('--prune', 'delete, at last, what was applied to the set before and is not in the manifests any more')
      .option('--max-deletes <count>', 'refuse to delete more objects than this', wholeNumber)
      .option('--max-fill <size>', 'refuse to fill more than this at any site, such as 500GiB')
      .option(
        '--max-drain <number|percent>',
        'refuse to drain more appliances than this over all, or more than this share of any site, such as 10%',
      )
      .option('--max-offload-loss <percent>', 'refuse to lose more expected offload than this for any policy')
      .option('--plan <file>', 'apply this plan that `weir plan --out` saved, or nothing if it is stale')
      .option('-y, --yes', 'agree to everything that would be asked')
      .addOption(new Option('--server-side', 'as it is in any case; for fingers that know kubectl').hideHelp())
      .option('--wait', 'wait until everything applied is healthy, and everything pruned gone (default)')
      .option('--no-wait', 'do not wait')
      .option('--timeout <duration>', 'how long to wait', '5m'),
  load: async () => (await import('./apply.ts')).runApply,
}
