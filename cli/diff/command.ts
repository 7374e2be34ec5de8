import { collectCommas, connectionFlags, fileFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'diff -f FILE [flags]',
  description: 'show what apply would change, without changing it',
  examples: ['weir diff -f site.yaml', 'weir diff -R -f fleet/ --exit-code=false'],
  flags: (command) =>
    connectionFlags(fileFlags(command, 'manifests to compare'))
      .option('--no-exit-code', 'exit 0 even where there are differences')
      .option('--force-conflicts <field>', 'compare as if this field were taken over; may be repeated', collectCommas)
      .option('--field-manager <name>', 'who would apply', 'weir'),
  load: async () => (await import('./diff.ts')).runDiff,
}
