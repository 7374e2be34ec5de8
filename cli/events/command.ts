import { collectCommas, connectionFlags, outputFlag } from '../flags.ts'
import type { Verb } from '../verb.ts'

export const command: Verb = {
  usage: 'events [flags]',
  description: 'list what happened, oldest first',
  examples: ['weir events', 'weir events --for appliance/fra1-a', 'weir events -A -w --types Warning'],
  flags: (command) =>
    connectionFlags(outputFlag(command, 'wide, json, yaml, name, jsonpath=…, custom-columns=…'))
      .option('-A, --all-namespaces', 'across all namespaces')
      .option('--for <object>', 'only events about this object, such as appliance/fra1-a')
      .option('--types <types>', 'only Normal or Warning events', collectCommas)
      .option('-w, --watch', 'go on and show what happens')
      .option('--no-headers', 'leave out the headers'),
  load: async () => (await import('./events.ts')).runEvents,
}
