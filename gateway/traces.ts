import type { Assignment } from '../crds/types.gen.ts'
import { isAtGoal, type Report } from '../reconcilers/gateway/report.ts'
import { type Cause, causeOf, TRACEPARENT_ANNOTATION, type Tracing } from '../runtime/tracing/tracing.ts'

/** An Assignment on its way: told to its appliance, and not yet held by it. */
interface Followed {
  readonly generation: number
  readonly cause: Cause
  takenUp: boolean
}

/**
 * Follows the trace that a changed Assignment carries to its end: `tell assignment` when its appliance hears of it, `appliance took up` when it reports
 * of that generation for the first time, `appliance converged` when it holds all of it. An appliance that connects later is not followed: what it is told then is no
 * news.
 */
export class Traces {
  readonly #tracing: Tracing | undefined
  readonly #followed = new Map<string, Followed>()

  constructor(tracing: Tracing | undefined) {
    this.#tracing = tracing
  }

  /** A connected appliance has been told of its changed Assignment. */
  told(key: string, assignment: Assignment): void {
    if (this.#tracing === undefined || !assignment.metadata.annotations?.[TRACEPARENT_ANNOTATION]) return
    const generation = assignment.spec.content?.generation ?? 0
    if (this.#followed.get(key)?.generation === generation) return
    const cause = causeOf(assignment)
    this.#followed.set(key, { generation, cause, takenUp: false })
    void this.#tracing.follow('tell assignment', attributes(key, generation), [cause], async () => {})
  }

  /** Writes what an appliance reports, in the trace of the Assignment where it is the first to tell how that has come out. */
  async reporting<T>(key: string, content: Report['content'] | undefined, write: () => Promise<T>): Promise<T> {
    const followed = this.#followed.get(key)
    if (!this.#tracing || !followed || content?.generation !== followed.generation) return await write()
    const { generation, cause, takenUp } = followed
    const converged = isAtGoal(content)
    if (takenUp && !converged) return await write()
    const name = converged ? 'appliance converged' : 'appliance took up'
    const written = await this.#tracing.follow(name, attributes(key, generation), [cause], write)
    followed.takenUp = true
    if (converged && this.#followed.get(key) === followed) this.#followed.delete(key)
    return written
  }

  forget(key: string): void {
    this.#followed.delete(key)
  }
}

const attributes = (key: string, generation: number) => ({ 'weir.key': key, 'weir.generation': generation })
