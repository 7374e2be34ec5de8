/** What has failed this player is not asked for again for so long; until then steering has found out itself. */
const AVOID_MS = 20_000
/** Most that one request to steering may exclude. */
const MOST_AVOIDED = 32
const ANSWER_MS = 2000

/** Asks steering whom to ask, and tells it who has failed. */
export class Steering {
  #url
  /** Appliance → when it may be asked again. */
  #avoided = new Map()

  /** `url`: where steering listens, such as `http://127.0.0.1:8490`. */
  constructor(url) {
    this.#url = url
  }

  /** The URLs of a file (`namespace/catalog/path`), best first: `{url, appliance}` each. Throws where steering cannot say. */
  async urlsOf(file, signal) {
    const avoided = this.#avoidedNow()
    const urls = await this.#ask(file, avoided, signal)
    // Better one that failed a while ago than none.
    return urls.length > 0 || avoided.length === 0 ? urls : this.#ask(file, [], signal)
  }

  /** An appliance has failed: it is left out from now on, and steering looks after it. */
  failed(appliance) {
    this.#avoided.set(appliance, performance.now() + AVOID_MS)
    const body = JSON.stringify({ failed: [appliance] })
    const headers = { 'Content-Type': 'application/json' }
    // Nothing depends on the answer.
    fetch(`${this.#url}/v1/hints`, { method: 'POST', headers, body }).catch(() => {})
  }

  #avoidedNow() {
    const now = performance.now()
    for (const [appliance, untilMs] of this.#avoided) if (untilMs <= now) this.#avoided.delete(appliance)
    return [...this.#avoided.keys()].slice(-MOST_AVOIDED)
  }

  async #ask(file, exclude, signal) {
    const query = new URLSearchParams([['file', file], ...exclude.map((each) => ['exclude', each])])
    const answer = await fetch(`${this.#url}/v1/steer?${query}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    })
    if (!answer.ok) throw new Error(`steering answers ${answer.status}: ${await answer.text()}`)
    return (await answer.json()).urls
  }
}
