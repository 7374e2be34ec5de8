import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'schema [KIND] [-o DIR]',
  description: 'print JSON Schemas for editors and other tools, or write them to a folder',
  examples: ['weir schema site', 'weir schema > weir.json', 'weir schema -o schemas/'],
  flags: (command) => command.option('-o, --out <folder>', 'write the files there, over those of an older version'),
  load: async () => (await import('./schema.ts')).runSchema,
}
