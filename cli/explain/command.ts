import { connectionFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'explain [TYPE[.FIELD…]] [flags]',
  description: 'what a kind and its fields mean, with defaults, allowed values and examples',
  examples: ['weir explain', 'weir explain site', 'weir explain site.spec.fillWindows', 'weir explain pp --recursive'],
  flags: (command) =>
    connectionFlags(command)
      .option('--recursive', 'fields of fields too')
      .option('--api-version <version>', 'group/version of the type'),
  load: async () => (await import('./explain.ts')).runExplain,
}
