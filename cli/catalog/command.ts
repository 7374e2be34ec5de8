import type { Verb, VerbGroup } from '../verb.ts'

const create: Verb = {
  usage: 'create --from-dir DIR [flags]',
  description: 'list a folder’s files with their sizes and digests, and print a Catalog manifest for them',
  examples: ['weir catalog create --from-dir ./films --url http://origin.example/films/ > catalog.yaml'],
  flags: (command) =>
    command
      .option('--from-dir <folder>', 'the files')
      .option('--out <file>', 'where the list goes', 'catalog.ndjson')
      .option('--name <name>', 'name of the Catalog (else from the folder’s name)')
      .option('-n, --namespace <name>', 'namespace of the Catalog')
      .option('--url <url>', 'where the folder, with the list in it, is served'),
  load: async () => (await import('./create.ts')).runCatalogCreate,
}

export const command: VerbGroup = { usage: 'catalog <verb> [flags]', description: 'make catalogs', verbs: [create] }
