import { collectCommas, connectionFlags, fileFlags, outputFlag } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'diff -f FILE [flags]',
  description: 'show what apply would change, without changing it',
  examples: [
    'weir diff -f site.yaml',
    'weir diff -R -f fleet/ -o stat',
    'weir diff -R -f fleet/ --applyset=fleet --prune -o markdown --exit-code=false > comment.md',
  ],
  flags: (command) =>
    connectionFlags(
      outputFlag(fileFlags(command, 'manifests to compare'), 'text, stat, name, json, yaml, markdown, github'),
    )
      .option(
        '--show <what>',
        'yours: what the manifests change; all: also what the server fills in and others own',
        'yours',
      )
      .option('--external-diff <program>', 'have this compare two folders (else $KUBECTL_EXTERNAL_DIFF, else built in)')
      .option('--no-exit-code', 'exit 0 even where there are differences')
      .option('--applyset <[type/]name>', 'the set that these manifests are all of, as for apply')
      .option('--prune', 'show as deleted what is in the set and not in the manifests any more')
      .option('--force-conflicts <field>', 'compare as if this field were taken over; may be repeated', collectCommas)
      .option('--field-manager <name>', 'who would apply', 'weir'),
  load: async () => (await import('./diff.ts')).runDiff,
}
