import { Option } from 'commander'
import { collectCommas } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'init [DIR] [flags]',
  description: 'begin a Git repository for a fleet: manifests, kustomize overlays, a pipeline that plans pull requests',
  examples: ['weir init fleet', 'weir init --namespace films --environments staging,eu,us', 'weir init --ci gitlab'],
  flags: (command) =>
    command
      .option('-n, --namespace <name>', 'namespaces are called this and the environment', 'cdn')
      .option(
        '--environments <names>',
        'the environments, an overlay each (default: staging,production)',
        collectCommas,
      )
      .addOption(new Option('--ci <which>', 'whose pipeline').choices(['github', 'gitlab', 'none']).default('github'))
      .option('--keep-existing', 'leave files that are there as they are, and write the others'),
  load: async () => (await import('./init.ts')).runInit,
}
