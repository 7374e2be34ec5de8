import { connectionFlags, outputFlag, wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'explain-placement FILE|TITLE [flags]',
  description: 'why a file is at a site or not, and what would change it',
  examples: [
    'weir explain-placement films/akira/2160p.mp4',
    'weir explain-placement "films/akira/2160*" --site fra1',
    'weir explain-placement Akira --policy films -o json',
  ],
  flags: (command) =>
    connectionFlags(outputFlag(command, 'text, json, yaml'))
      .option('--site <[namespace/]name>', 'only this site')
      .option('--policy <name>', 'only this PlacementPolicy')
      .option('--limit <count>', 'at most so many sites, those that ask for most of it first', wholeNumber, '20')
      .option('--blobs-from <namespace/service>', 'the Service that hands out blobs (else what the chart says)')
      .option('--no-cache', 'keep no blobs on this machine'),
  load: async () => (await import('./explain-placement.ts')).runExplainPlacement,
}
