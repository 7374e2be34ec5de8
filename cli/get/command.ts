import { Option } from 'commander'
import { collectCommas, connectionFlags, fileFlags, outputFlag, selectorFlags } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'get TYPE [NAME…] | TYPE/NAME… | -f FILE [flags]',
  description: 'list objects',
  examples: [
    'weir get sites',
    'weir get appliances -A -o wide',
    'weir get ap/fra1-a -o yaml',
    'weir get weir -w',
    'weir get ap -o custom-columns=NAME:.metadata.name,PHASE:.status.phase',
  ],
  flags: (command) =>
    connectionFlags(
      selectorFlags(
        outputFlag(
          fileFlags(command, 'objects named in manifests'),
          'wide, json, yaml, name, jsonpath=…, custom-columns=…',
        ),
      ),
    )
      .option('-A, --all-namespaces', 'across all namespaces')
      .option('-w, --watch', 'go on and show every change')
      .option('--watch-only', 'show changes only, not what is there')
      .option('--output-watch-events', 'say for each change whether it was ADDED, MODIFIED or DELETED')
      .option('--sort-by <path>', 'sort by a JSONPath, such as .metadata.creationTimestamp')
      .option('--no-headers', 'leave out the headers')
      .option('--show-labels', 'all labels, as the last column')
      .option('-L, --label-columns <labels>', 'these labels as columns; may be repeated', collectCommas)
      .option('--show-kind', 'names with their kind')
      .option('--show-managed-fields', 'keep managedFields in JSON and YAML')
      .option('--ignore-not-found', 'it is no error when an object does not exist')
      .option('--chunk-size <count>', 'read large lists in chunks of so many', '500')
      .option('--subresource <name>', 'read this subresource, such as status')
      .option('--raw <path>', 'read any path of the API server')
      .addOption(
        new Option('--server-print <bool>', 'have the server make the tables; if not, they have names and ages only')
          .choices(['true', 'false'])
          .preset('true'),
      ),
  load: async () => (await import('./get.ts')).runGet,
}
