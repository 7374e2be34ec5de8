import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isSecret, masked } from '../changes/mask.ts'
import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { visibleLine } from '../output/escape.ts'
import { objectName, printObjects } from '../output/format.ts'
import type { AppliedEvent, ApplyEvent, ObjectRef } from './events.ts'

/** Says what happens, on stdout as data and on stderr as progress. */
export interface Reporter {
  /** Resolves once stdout has taken it. */
  tell(event: ApplyEvent): Promise<void>
}

/** `suffix`: what is behind every line of a dry run, such as ` (server dry run)`. Throws a usage error. */
export function reporterFor(io: Io, output: string | undefined, suffix: string): Reporter {
  switch (output) {
    case undefined:
      return new TextReporter(io, suffix)
    case 'name':
      return new NameReporter(io)
    case 'yaml':
      return new YamlReporter(io)
    case 'json':
      return { tell: (event) => io.out(`${JSON.stringify(event)}\n`) }
    default:
      throw usageError(`apply prints name, json or yaml, not "${output}"`)
  }
}

/** `site.fleet.weir.dev/fra1`. */
export function refName({ apiVersion, kind, name }: ObjectRef): string {
  return objectName({ apiVersion, kind, metadata: { name } })
}

/** An object fit for stdout: no managedFields, and of Secrets no values. */
export function shown(object: KubeObject & JsonObject): AppliedEvent['object'] {
  const { managedFields: _, ...metadata } = object.metadata
  const bare = { ...object, metadata } as KubeObject as AppliedEvent['object']
  return isSecret(bare) ? (masked(bare, undefined)[0] as unknown as AppliedEvent['object']) : bare
}

/** One line per object on stdout, as kubectl prints it, and what is waited for on stderr. */
class TextReporter implements Reporter {
  readonly #io: Io
  readonly #progress: Progress
  readonly #suffix: string

  constructor(io: Io, suffix: string) {
    this.#io = io
    this.#progress = new Progress(io)
    this.#suffix = suffix
  }

  async tell(event: ApplyEvent): Promise<void> {
    if (event.type === 'applied') {
      const action = this.#suffix === CLIENT_DRY_RUN ? 'checked' : event.action
      await this.#io.out(`${objectName(event.object)} ${action}${this.#suffix}\n`)
    } else if (event.type === 'pruned' && event.action === 'deleted')
      await this.#io.out(`${refName(event.object)} pruned${this.#suffix}\n`)
    else this.#progress.tell(event)
  }
}

export const CLIENT_DRY_RUN = ' (dry run)'
export const SERVER_DRY_RUN = ' (server dry run)'

/** Names of what was applied or pruned. */
class NameReporter implements Reporter {
  readonly #io: Io
  readonly #progress: Progress

  constructor(io: Io) {
    this.#io = io
    this.#progress = new Progress(io)
  }

  async tell(event: ApplyEvent): Promise<void> {
    const told = event.type === 'applied' || (event.type === 'pruned' && event.action === 'deleted')
    if (told) await this.#io.out(`${event.type === 'applied' ? objectName(event.object) : refName(event.object)}\n`)
    else this.#progress.tell(event)
  }
}

/** What was applied, as one YAML document at the end. */
class YamlReporter implements Reporter {
  readonly #io: Io
  readonly #progress: Progress
  readonly #objects: (KubeObject & JsonObject)[] = []

  constructor(io: Io) {
    this.#io = io
    this.#progress = new Progress(io)
  }

  async tell(event: ApplyEvent): Promise<void> {
    if (event.type === 'applied') this.#objects.push(event.object)
    else if (event.type === 'summary' && this.#objects.length > 0)
      await this.#io.out(printObjects({ type: 'yaml' }, this.#objects, true))
    else if (event.type === 'pruned' && event.action === 'deleted') this.#io.err(`${refName(event.object)} pruned\n`)
    else this.#progress.tell(event)
  }
}

/** Lines of progress in one second; a fleet that converges has more to say than anybody reads. */
const LINES_A_SECOND = 20

/** What people want to know that is no data. What failed is told by the error that ends the command, or where it happened. */
class Progress {
  readonly #io: Io
  /** Objects that were waited for, by name and namespace: only of these it is said that they are healthy. */
  readonly #waited = new Set<string>()
  #second = 0
  #lines = 0

  constructor(io: Io) {
    this.#io = io
  }

  tell(event: ApplyEvent): void {
    if (event.type === 'pruned') this.#io.err(`${refName(event.object)} kept: it ${event.reason}\n`)
    else if (event.type === 'waiting') {
      this.#waited.add(keyOf(event.object))
      this.#line(`${refName(event.object)}: ${visibleLine(event.message)}\n`)
    } else if (event.type === 'healthy' && this.#waited.delete(keyOf(event.object)))
      this.#line(`${refName(event.object)} is ${event.gone ? 'gone' : 'healthy'}\n`)
  }

  #line(text: string): void {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) [this.#second, this.#lines] = [second, 0]
    this.#lines++
    if (this.#lines <= LINES_A_SECOND) this.#io.err(text)
    else if (this.#lines === LINES_A_SECOND + 1) this.#io.err('…\n')
  }
}

const keyOf = (object: ObjectRef) => `${refName(object)} ${object.namespace ?? ''}`
