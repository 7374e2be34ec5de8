import { collect } from '../flags.ts'
import type { Verb, VerbGroup } from '../verb.ts'

const explain: Verb = {
  usage: 'explain --client IP --file FILE [flags]',
  description: 'tell the story of one answer: whom steering names to a client for a file, and why nobody else',
  examples: [
    'weir steer explain --client 192.0.2.7 --file quickstart/library/README.md',
    'weir steer explain --client 2001:db8::7 --title "Big Buck Bunny" --purpose live -o json',
  ],
  flags: (command) =>
    command
      .option('--client <address>', 'the client’s IP address')
      .option('--file <namespace/catalog/path>', 'a file that it asks for; may be repeated', collect)
      .option('--title <title>', 'the title that it asks for, instead of files')
      .option('--purpose <purpose>', 'vod, live or game', 'vod')
      .option('--exclude <appliance>', 'an appliance or URL that has failed it; may be repeated', collect)
      .option(
        '--steering <url>',
        'where steering answers, to somebody whom it trusts as a proxy',
        'http://127.0.0.1:8490',
      )
      .option('-o, --output <format>', 'output format: text or json', 'text'),
  load: async () => (await import('./explain.ts')).runSteerExplain,
}

const replay: Verb = {
  usage: 'replay LOG… --policy FILE [flags]',
  description: 'show what other policies would have changed of the decisions in a log',
  examples: ['weir steer replay .weir/steering/decisions.log --policy new.yaml --data .weir/steering'],
  flags: (command) =>
    command
      .option(
        '--policy <file>',
        'SteeringPolicies that take the place of those of their name, or come in; may be repeated',
        collect,
      )
      .option('--data <folder>', 'steering’s --data, with the snapshot of the fleet', '.weir/steering')
      .option('-o, --output <format>', 'output format: text or json', 'text'),
  load: async () => (await import('./replay.ts')).runSteerReplay,
}

export const command: VerbGroup = {
  usage: 'steer <verb> [flags]',
  description: 'ask why steering answers as it does, and try other policies on what it has answered',
  verbs: [explain, replay],
}
