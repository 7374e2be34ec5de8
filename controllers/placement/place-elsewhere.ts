import { keyOf } from '../../reconcilers/identity.ts'
import type { SoFar } from '../../reconcilers/placement/control.ts'
import type { Placed } from '../../reconcilers/placement/placed.ts'
import { inputsDigest, type PolicyInput, tellSolving } from '../../reconcilers/placement/plan-policy.ts'
import type { PlacementProblem } from '../../reconcilers/placement/problem.ts'
import { Retryable } from '../../runtime/errors.ts'
import type { Caches } from '../caches.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Executor } from '../execute.ts'
import { solveOnThreads } from './solver-threads.ts'
import type { Solving } from './solving.ts'

export interface ElsewhereOptions extends Pick<ControllerDeps, 'blobs' | 'clock' | 'log'> {
  readonly caches: Pick<Caches, 'policies'>
  readonly executor: Executor
  readonly solving: Solving
  /** See `SolverThreadsOptions`. */
  readonly deadlineMs?: number
  readonly inlineUpTo?: number
  /** A plan that takes no longer is not worth telling that it is on its way. 2 s unless told. */
  readonly tellAfterMs?: number
  /** Progress is written to the policy's status this often. 5 s unless told. */
  readonly tellEveryMs?: number
}

/** The policy is another than the one that was being planned for. */
export class PolicyChanged extends Retryable {
  constructor(key: string) {
    super('PolicyChanged', `PlacementPolicy ${key} has changed while it was being planned`)
  }
}

/** An answer that could not be written down is good for as long: no collection of blobs takes its manifests sooner. */
const GOOD_MS = 600_000

/**
 * Solves on threads for a controller: stores manifests as they are made, tells how far it is in the policy's status, and stops with PolicyChanged when the policy changes
 * or goes. An answer stays at hand until it is known to be written down, so that a conflict or an API server that is away does not cost another solution.
 */
export class Elsewhere {
  readonly #options: ElsewhereOptions
  #last: { readonly key: string; readonly id: string; readonly atMs: number; readonly placed: Placed } | undefined

  constructor(options: ElsewhereOptions) {
    this.#options = options
  }

  async place(
    problem: PlacementProblem,
    catalogDigest: string,
    question: PolicyInput,
    signal: AbortSignal,
  ): Promise<Placed> {
    const { clock, blobs, caches, solving, deadlineMs, inlineUpTo } = this.#options
    const key = keyOf(question.policy)
    // What is taken over from the plan in force is not asked for: the same question may be asked of fewer sites, or more.
    const asked = question.digest(Buffer.from(problem.sites.map((site) => site.key).join('\n')))
    const id = `${key} ${question.policy.status?.currentPlan} ${inputsDigest(question)} ${asked}`
    if (this.#last?.id === id && clock.monotonicMs() - this.#last.atMs < GOOD_MS) return this.#last.placed
    const stop = new AbortController()
    const unsubscribe = caches.policies.onChange((change) => {
      if (change.key !== key) return
      const now = change.type === 'delete' ? undefined : change.object
      if (!isSame(now, question.policy)) stop.abort(new PolicyChanged(key))
    })
    const teller = new Teller(this.#options, question, signal)
    try {
      const placed = await solveOnThreads(problem, catalogDigest, AbortSignal.any([signal, stop.signal]), {
        store: ({ digest, bytes }) => blobs.put(bytes, digest),
        onProgress(done, soFar) {
          solving.set(key, done)
          teller.tell(done, soFar)
        },
        clock,
        ...(deadlineMs !== undefined && { deadlineMs }),
        ...(inlineUpTo !== undefined && { inlineUpTo }),
      })
      this.#last = { key, id, atMs: clock.monotonicMs(), placed }
      return placed
    } finally {
      unsubscribe()
      solving.delete(key)
      await teller.done()
    }
  }

  /** What was planned last for a policy (`namespace/name`) has been written down. */
  written(key: string): void {
    if (this.#last?.key === key) this.#last = undefined
  }
}

type Policy = PolicyInput['policy']

function isSame(now: Policy | undefined, then: Policy): boolean {
  return now?.metadata.uid === then.metadata.uid && now?.metadata.generation === then.metadata.generation
}

/** Writes to a policy's status how far its plan is: one write at a time, and not too many. */
class Teller {
  readonly #options: ElsewhereOptions
  readonly #question: PolicyInput
  readonly #signal: AbortSignal
  #nextAtMs: number
  #writing: Promise<void> | undefined

  constructor(options: ElsewhereOptions, question: PolicyInput, signal: AbortSignal) {
    this.#options = options
    this.#question = question
    this.#signal = signal
    this.#nextAtMs = options.clock.monotonicMs() + (options.tellAfterMs ?? 2000)
  }

  tell(done: number, soFar: SoFar | undefined): void {
    const { clock, tellEveryMs = 5000, log } = this.#options
    const nowMs = clock.monotonicMs()
    if (this.#writing || nowMs < this.#nextAtMs) return
    this.#nextAtMs = nowMs + tellEveryMs
    const policy = keyOf(this.#question.policy)
    log.info({ policy, percent: Math.round(100 * done), ...soFar }, 'placing')
    this.#writing = this.#write(done, soFar)
      // It is only told; whoever made it impossible is heard of when the plan is written.
      .catch((err: unknown) => log.debug({ err, policy }, 'cannot tell how far a plan is'))
      .finally(() => {
        this.#writing = undefined
      })
  }

  async done(): Promise<void> {
    await this.#writing
  }

  async #write(done: number, soFar: SoFar | undefined): Promise<void> {
    const { caches, executor, clock } = this.#options
    const policy = caches.policies.get(keyOf(this.#question.policy))
    if (!policy || !isSame(policy, this.#question.policy)) return
    const plan = tellSolving({ ...this.#question, policy }, { done, ...(soFar && { soFar }) }, clock.now())
    await executor.execute(plan, this.#signal, [policy])
  }
}
