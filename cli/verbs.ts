import { command as agent } from './agent/command.ts'
import { command as apply } from './apply/command.ts'
import { command as bench } from './bench/command.ts'
import { command as catalog } from './catalog/command.ts'
import { command as completion } from './completion/command.ts'
import { command as controller } from './controller/command.ts'
import { command as remove } from './delete/command.ts'
import { command as describe } from './describe/command.ts'
import { command as diff } from './diff/command.ts'
import { command as drain } from './drain/command.ts'
import { command as events } from './events/command.ts'
import { command as explain } from './explain/command.ts'
import { command as explainPlacement } from './explain-placement/command.ts'
import { command as gateway } from './gateway/command.ts'
import { command as get } from './get/command.ts'
import { command as init } from './init/command.ts'
import { command as create } from './new/command.ts'
import { command as plan } from './plan/command.ts'
import { command as restore } from './restore/command.ts'
import { command as schema } from './schema/command.ts'
import { command as steer } from './steer/command.ts'
import { command as steering } from './steering/command.ts'
import { command as top } from './top/command.ts'
import { command as up } from './up/command.ts'
import { command as validate } from './validate/command.ts'
import type { Verb, VerbGroup } from './verb.ts'
import { command as version } from './version/command.ts'
import { command as wait } from './wait/command.ts'

/** All verbs, in the order in which `--help` lists them. A verb's flags, examples and code are in the folder of its name. */
export const verbs: readonly (Verb | VerbGroup)[] = [
  up,
  init,
  create,
  apply,
  diff,
  plan,
  validate,
  get,
  describe,
  remove,
  explain,
  explainPlacement,
  schema,
  events,
  wait,
  top,
  drain,
  restore,
  steer,
  catalog,
  bench,
  agent,
  controller,
  gateway,
  steering,
  completion,
  version,
]
