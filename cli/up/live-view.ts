import type { Appliance } from '../../crds/types.gen.ts'
import type { Io } from '../io.ts'
import { changeLine, fleetLines, heldBytes } from './fleet-view.ts'

const REDRAW_MS = 250
/** Over how long the rate is measured. */
const RATE_MS = 3000

/**
 * Shows a fleet on stderr as it fills: redrawn in place on a terminal; elsewhere a line for every change that matters.
 */
export class LiveView {
  readonly #io: Io
  readonly #fleet: () => readonly Appliance[]
  readonly #said = new Map<string, string>()
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #drawn = 0

  constructor(io: Io, fleet: () => readonly Appliance[]) {
    this.#io = io
    this.#fleet = fleet
  }

  start(): void {
    this.#timer = setInterval(() => this.#show(), REDRAW_MS)
    this.#show()
  }

  /** Leaves the last state on the screen. */
  stop(): void {
    clearInterval(this.#timer)
    this.#show()
    this.#drawn = 0
  }

  #show(): void {
    const fleet = [...this.#fleet()].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    if (this.#io.errIsTerminal) this.#redraw(fleet)
    else this.#sayChanges(fleet)
  }

  #redraw(fleet: readonly Appliance[]): void {
    const lines = fleetLines(fleet, this.#rate(fleet), this.#io.columns())
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''
    this.#io.err(`${back}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`)
    this.#drawn = lines.length
  }

  #sayChanges(fleet: readonly Appliance[]): void {
    for (const appliance of fleet) {
      const key = `${appliance.metadata.namespace}/${appliance.metadata.name}`
      const line = changeLine(appliance)
      if (this.#said.get(key) === line) continue
      this.#said.set(key, line)
      this.#io.err(`${line}\n`)
    }
  }

  #rate(fleet: readonly Appliance[]): number | undefined {
    const now = performance.now()
    this.#samples.push({ atMs: now, bytes: heldBytes(fleet) })
    while (this.#samples.length > 2 && now - this.#samples[0]!.atMs > RATE_MS) this.#samples.shift()
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    return first && last && last.atMs > first.atMs
      ? ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs)
      : undefined
  }
}
