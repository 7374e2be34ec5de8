import { connectionFlags, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'top sites|appliances [NAME…] [flags]',
  description: 'how full, how fast, how long still: live on a terminal, one table elsewhere',
  examples: [
    'weir top sites',
    'weir top appliances -A --sort-by=left',
    'weir top ap -l rack=7 --watch',
    'weir top ap --once',
  ],
  flags: (command) =>
    connectionFlags(selectorFlags(command))
      .option('-A, --all-namespaces', 'across all namespaces')
      .option('--sort-by <column>', 'sort by this column, such as left, rate or eta; biggest first for numbers', 'name')
      .option('--no-headers', 'leave out the headers')
      .option('--once', 'one table, and no more, on a terminal too')
      .option('-w, --watch', 'go on; where no terminal is, a table each time')
      .option('--interval <duration>', 'how often it is shown anew', '2s'),
  load: async () => (await import('./top.ts')).runTop,
}
