import { collectCommas, connectionFlags, fileFlags, outputFlag, wholeNumber } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'plan -f FILE | --what-if SUPPOSITION [flags]',
  description: 'show what a change would do to the fleet: bytes moved, appliances drained, minutes; changes nothing',
  examples: [
    'weir plan -R -f fleet/',
    'weir plan -f site.yaml --max-fill 1TiB --max-drain 10% --max-offload-loss 0.5%',
    'weir plan -R -f fleet/ --out plan.json && weir apply --plan plan.json',
    'weir plan --delete -f old-site.yaml',
    "weir plan --what-if 'add=fra1:hc-large:2,remove=ams2/box-7,class=ams1/*:hc-flash'",
  ],
  flags: (command) =>
    connectionFlags(outputFlag(fileFlags(command, 'manifests to plan for'), 'text, json, yaml, markdown, github'))
      .option('--no-exit-code', 'exit 0 even where something would change')
      .option('--max-fill <size>', 'refuse to fill more than this at any site, such as 500GiB')
      .option(
        '--max-drain <number|percent>',
        'refuse to drain more appliances than this over all, or more than this share of any site, such as 10%',
      )
      .option('--max-deletes <count>', 'refuse to delete more objects than this', wholeNumber)
      .option('--max-offload-loss <percent>', 'refuse to lose more expected offload than this for any policy')
      .option('--delete', 'plan to delete the objects of the manifests instead')
      .option('--applyset <[type/]name>', 'the set that these manifests are all of, as for apply')
      .option('--prune', 'plan to delete what is in the set and not in the manifests any more')
      .option(
        '--what-if <supposition>',
        'suppose add=SITE:CLASS[:COUNT], remove=SITE/APPLIANCE or class=SITE/APPLIANCE:CLASS (globs there); may be repeated',
        collectCommas,
      )
      .option('--read-sources', 'read the sources of catalogs that are new or point elsewhere, from this machine')
      .option('--blobs-from <namespace/service>', 'the Service that hands out blobs (else what the chart says)')
      .option('--no-cache', 'keep no blobs on this machine')
      .option('--out <file>', 'keep the plan in this file, for apply --plan')
      .option('--force-conflicts <field>', 'plan as if this field were taken over; may be repeated', collectCommas)
      .option('--field-manager <name>', 'who would apply', 'weir'),
  load: async () => (await import('./plan.ts')).runPlan,
}
