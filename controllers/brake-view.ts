import type { Appliance } from '../crds/types.gen.ts'
import { type Brake, type BrakeOptions, darkness, type FleetLight, fleetBrake } from '../reconcilers/brake/brake.ts'
import type { Cache } from '../runtime/cache/cache.ts'

/** How dark the fleet is, counted as appliances change instead of anew for every decision. */
export class BrakeView {
  readonly #options: BrakeOptions | undefined
  readonly #onTurn: (() => void)[] = []
  #known = 0
  #dark = 0
  #engaged = false

  constructor(appliances: Pick<Cache<Appliance>, 'onChange'>, options?: BrakeOptions) {
    this.#options = options
    appliances.onChange((change) => {
      if (change.type === 'update') this.#count(change.old, -1)
      this.#count(change.object, change.type === 'delete' ? -1 : 1)
      this.#turn()
    })
  }

  get light(): FleetLight {
    return { known: this.#known, dark: this.#dark }
  }

  get now(): Brake {
    return fleetBrake(this.light, this.#options)
  }

  /** Calls `listener` whenever the brake engages or is released. */
  onTurn(listener: () => void): void {
    this.#onTurn.push(listener)
  }

  #count(appliance: Appliance, by: 1 | -1): void {
    const counts = darkness(appliance)
    if (counts === 'uncounted') return
    this.#known += by
    if (counts === 'dark') this.#dark += by
  }

  #turn(): void {
    const { engaged } = this.now
    if (engaged === this.#engaged) return
    this.#engaged = engaged
    for (const listener of this.#onTurn) listener()
  }
}
