import { CliError, ExitCode } from '../exit.ts'
import { ManifestError, type Problem } from '../manifests/problem.ts'
import type { ApplyEvent, ObjectRef, SummaryEvent } from './events.ts'
import type { Reporter } from './reporter.ts'

/** Passes events on and counts them, for the summary that comes last. */
export class Tally implements Reporter {
  readonly #reporter: Reporter
  readonly #dryRun: boolean
  readonly #startedMs = performance.now()
  readonly #counts = { created: 0, configured: 0, unchanged: 0, pruned: 0, kept: 0 }
  readonly #healthy = new Set<ObjectRef>()
  #pending: readonly ObjectRef[] = []
  #unknown: readonly ObjectRef[] = []

  constructor(reporter: Reporter, dryRun: boolean) {
    this.#reporter = reporter
    this.#dryRun = dryRun
  }

  tell(event: ApplyEvent): Promise<void> {
    if (event.type === 'applied') this.#counts[event.action]++
    else if (event.type === 'pruned') this.#counts[event.action === 'deleted' ? 'pruned' : 'kept']++
    else if (event.type === 'healthy') this.#healthy.add(event.object)
    else if (event.type === 'waiting') this.#healthy.delete(event.object)
    return this.#reporter.tell(event)
  }

  /** What was left undone, and of what it is not known. */
  left(pending: readonly ObjectRef[], unknown: readonly ObjectRef[]): void {
    this.#pending = [...this.#pending, ...pending]
    this.#unknown = [...this.#unknown, ...unknown]
  }

  async finish(exitCode: ExitCode): Promise<void> {
    const summary: SummaryEvent = {
      type: 'summary',
      exitCode,
      dryRun: this.#dryRun,
      ...this.#counts,
      healthy: this.#healthy.size,
      pending: this.#pending,
      unknown: this.#unknown,
      durationMs: Math.round(performance.now() - this.#startedMs),
    }
    await this.tell(summary)
  }

  /** Ends with what went wrong, which the caller prints on stderr too. */
  async fail(error: unknown): Promise<void> {
    const exitCode = error instanceof CliError ? error.code : ExitCode.api
    const message = (error instanceof Error ? error.message : String(error)).trimEnd()
    if (error instanceof ManifestError)
      for (const problem of error.problems) await this.tell({ type: 'failed', exitCode, ...problemFields(problem) })
    else await this.tell({ type: 'failed', exitCode, message })
    await this.finish(exitCode)
  }
}

function problemFields({ code, message, field, file, at }: Problem) {
  const line = at?.source.placeAt(at.start).line ?? 1
  return { code, message, manifest: { file, line }, ...(field === undefined ? {} : { field }) }
}
