import { collect, collectCommas, fileFlags, outputFlag } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'validate -f FILE [flags]',
  description: 'check manifests without a server: each as the API server would, and all of them together',
  examples: [
    'weir validate -R -f fleet/',
    'weir validate -k overlays/production --strict --ignore not-checked',
    'weir validate -R -f fleet/ -o sarif > weir.sarif',
    'weir validate -R -f fleet/ -o github --crds crds/',
  ],
  flags: (command) =>
    outputFlag(fileFlags(command, 'manifests to check'), 'text, json, sarif, junit, github')
      .option('-n, --namespace <name>', 'namespace of objects that name none', 'default')
      .option('--crds <file>', 'definitions of more kinds: a file, folder or glob; may be repeated', collect)
      .option('--strict', 'warnings are errors, and so is an object of a kind that cannot be checked')
      .option('--ignore <rule>', 'leave out what this rule finds; may be repeated', collectCommas),
  load: async () => (await import('./validate.ts')).runValidate,
}
