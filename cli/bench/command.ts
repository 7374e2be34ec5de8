import { outputFlag, wholeNumber } from '../flags.ts'
import type { Verb, VerbGroup } from '../verb.ts'

const placement: Verb = {
  usage: 'placement [flags]',
  description: 'place a made-up catalog on a made-up fleet, beside other ways to place it, and measure',
  examples: [
    'weir bench placement',
    'weir bench placement --appliances 10000 --files 1000000 --workers 2',
    'weir bench placement --exact',
  ],
  flags: (command) =>
    outputFlag(command, 'json')
      .option('--appliances <count>', 'appliances of the fleet', wholeNumber, '1000')
      .option('--files <count>', 'files of the catalog', wholeNumber, '100000')
      .option('--classes <count>', 'classes of demand', wholeNumber, '4')
      .option('--seed <number>', 'what everything is made up from', wholeNumber, '1')
      .option('--workers <count>', 'threads that place', wholeNumber, '2')
      .option('--exact', 'small instances only: solve the linear program too, with HiGHS (npm install highs)'),
  load: async () => (await import('./placement/bench-placement.ts')).runBenchPlacement,
}

export const command: VerbGroup = {
  usage: 'bench <verb> [flags]',
  description: 'measure what anyone can measure again',
  verbs: [placement],
}
