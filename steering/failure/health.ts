import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

export interface HealthOptions {
  readonly clock: Clock
  readonly log: Log
  /** Whether an appliance may be named, from now on. */
  readonly onUp: (appliance: string, up: boolean) => void
}

/** Fewer probed appliances than this are never disbelieved together. */
const FEWEST = 20
/** When more than this share of those that had answered go silent at once, it is this machine that is cut off. */
const DISBELIEVED_SHARE = 0.9

/** What each source says of an appliance; undefined: nothing. */
interface Voices {
  probe: boolean | undefined
  /** Why the probe says no. */
  probeReason: string
  /** The control plane's condition Online: False is a heartbeat lost. */
  online: boolean | undefined
  quarantined: boolean
  up: boolean | undefined
}

/**
 * Whether each appliance may be named. Probes go first: an appliance that is cut off from its gateway but answers clients is up, one that has sent a
 * heartbeat but does not answer is down. Without a probe the control plane's word counts. Clients' hints, once they are a quorum, count against both.
 */
export class Health {
  readonly #options: HealthOptions
  readonly #voices = new Map<string, Voices>()
  #silent = 0
  #probed = 0
  #believesProbes = true

  constructor(options: HealthOptions) {
    this.#options = options
  }

  /** False while so much is silent at once that it must be us who are cut off: then probes are not believed. */
  get believesProbes(): boolean {
    return this.#believesProbes
  }

  get down(): number {
    let down = 0
    for (const { up } of this.#voices.values()) if (up === false) down++
    return down
  }

  /** Why an appliance is not named, for people; undefined where it is up. */
  whyDown(appliance: string): string | undefined {
    const voices = this.#voices.get(appliance)
    if (voices?.up !== false) return undefined
    if (voices.quarantined) return 'clients of several networks say that it fails them'
    if (voices.probe === false && this.#believesProbes) return `its probe: ${voices.probeReason}`
    return 'its gateway has not heard of it'
  }

  /** Begins to know an appliance, or takes up what the control plane says of it. */
  setOnline(appliance: string, online: boolean | undefined): void {
    const voices = this.#of(appliance)
    voices.online = online
    this.#settle(appliance, voices)
  }

  setProbe(appliance: string, answers: boolean, reason: string): void {
    const voices = this.#voices.get(appliance)
    if (!voices) return
    if (voices.probe === undefined) this.#probed++
    if ((voices.probe === false) !== !answers) this.#silent += answers ? -1 : 1
    voices.probe = answers
    voices.probeReason = reason
    this.#weigh()
    this.#settle(appliance, voices)
  }

  /** It is no longer probed: it has no address that could be. */
  forgetProbe(appliance: string): void {
    const voices = this.#voices.get(appliance)
    if (voices?.probe === undefined) return
    this.#probed--
    if (!voices.probe) this.#silent--
    voices.probe = undefined
    this.#settle(appliance, voices)
  }

  setQuarantined(appliance: string, quarantined: boolean): void {
    const voices = this.#voices.get(appliance)
    if (!voices) return
    voices.quarantined = quarantined
    this.#settle(appliance, voices)
  }

  remove(appliance: string): void {
    this.forgetProbe(appliance)
    this.#voices.delete(appliance)
  }

  #of(appliance: string): Voices {
    let voices = this.#voices.get(appliance)
    if (!voices) {
      voices = { probe: undefined, probeReason: '', online: undefined, quarantined: false, up: undefined }
      this.#voices.set(appliance, voices)
    }
    return voices
  }

  #settle(appliance: string, voices: Voices): void {
    const probe = this.#believesProbes ? voices.probe : undefined
    const up = !voices.quarantined && (probe ?? voices.online !== false)
    if (up === voices.up) return
    voices.up = up
    this.#options.onUp(appliance, up)
  }

  #weigh(): void {
    const believes = this.#probed < FEWEST || this.#silent <= this.#probed * DISBELIEVED_SHARE
    if (believes === this.#believesProbes) return
    this.#believesProbes = believes
    const fields = { probed: this.#probed, silent: this.#silent }
    if (believes) this.#options.log.info(fields, 'probes are believed again')
    else
      this.#options.log.error(
        fields,
        'almost no appliance answers: probes are not believed, this machine may be cut off',
      )
    for (const [appliance, voices] of this.#voices) this.#settle(appliance, voices)
  }
}
