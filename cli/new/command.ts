import { collect } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'new KIND NAME [--field PATH=VALUE …] [-o FILE]',
  description: 'write a manifest to begin with: every field, with what it means',
  examples: [
    'weir new site fra1 --field country=DE --field metro=fra -o sites/fra1.yaml',
    'weir new hc flash-60t --examples',
    "weir new pp films --field catalogRef.name=films --field 'appliances.siteSelector={matchLabels: {tier: edge}}'",
    'weir new site fra1 --field fillWindows[0].start=02:00 --field fillWindows[0].end=08:00',
  ],
  flags: (command) =>
    command
      .option(
        '--field <path=value>',
        'the value of a field of the spec, or of metadata.labels and the like; may be repeated',
        collect,
      )
      .option('--examples', 'fill what is required and not given with its example')
      .option('-n, --namespace <name>', 'namespace of the object')
      .option('-o, --out <file>', 'where to write it: a new file, or a folder for NAME.yaml (else stdout)')
      .option('--schemas <url>', 'URL or folder of the JSON Schemas for editors (else those nearest to the file)'),
  load: async () => (await import('./new.ts')).runNew,
}
