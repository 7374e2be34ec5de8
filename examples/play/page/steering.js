/** What has failed this player is not asked for again for so long; until then steering has found out itself. */
const AVOID_MS = 20_000
/** Most that one request to steering may exclude. */
const MOST_AVOIDED = 32
/** How long an answer is waited for: by who knows nobody else to ask, and by who does. */
const ANSWER_MS = 2000
const ANSWER_OF_KNOWN_MS = 700
/** Steering that said nothing is not asked again for so long, where there is somebody else to ask. */
const SILENT_MS = 2000
/** Appliances that are remembered. */
const MOST_KNOWN = 8

/** Asks steering whom to ask, and tells it who has failed. Without steering, or where it names nobody, it goes on with those who were named before. */
export class Steering {
  #url
  /** Appliance → when it may be asked again. */
  #avoided = new Map()
  /** Appliance → what its URLs begin with, of those who were named lately, the newest last. */
  #known = new Map()
  #silentUntilMs = 0

  /** `url`: where steering listens, such as `http://127.0.0.1:8490`. */
  constructor(url) {
    this.#url = url
  }

  /** The URLs of a file (`namespace/catalog/path`), best first: `{url, appliance}` each, `unsaid` where steering has not said so. Throws where nobody can be asked. */
  async urlsOf(file, signal) {
    const avoided = this.#avoidedNow()
    if (performance.now() < this.#silentUntilMs) return this.#guessed(file, avoided)
    try {
      let urls = await this.#ask(file, avoided, signal)
      // Better one that failed a while ago than none.
      if (urls.length === 0 && avoided.length > 0) urls = await this.#ask(file, [], signal)
      return urls.length > 0 ? urls : this.#guessed(file, avoided)
    } catch (error) {
      if (signal.aborted || error.isFinal || this.#known.size === 0) throw error
      this.#silentUntilMs = performance.now() + SILENT_MS
      return this.#guessed(file, avoided)
    }
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
    const patienceMs = this.#known.size > 0 ? ANSWER_OF_KNOWN_MS : ANSWER_MS
    const answer = await fetch(`${this.#url}/v1/steer?${query}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    })
    if (!answer.ok) {
      const error = new Error(`steering answers ${answer.status}: ${await answer.text()}`)
      // It knows, and the question is wrong.
      error.isFinal = answer.status < 500 && answer.status !== 429
      throw error
    }
    const { urls } = await answer.json()
    this.#remember(file, urls)
    return urls
  }

  #remember(file, urls) {
    const end = `/${pathOf(file)}`
    for (const { url, appliance } of urls.toReversed()) {
      // URLs beyond the fleet are of another form.
      if (appliance === undefined || !url.endsWith(end)) continue
      this.#known.delete(appliance)
      this.#known.set(appliance, url.slice(0, -end.length))
    }
    for (const appliance of [...this.#known.keys()].slice(0, -MOST_KNOWN)) this.#known.delete(appliance)
  }

  /** Those who were named lately, for other files. Who does not have this one says so, and the next is asked. */
  #guessed(file, avoided) {
    const urls = Array.from(this.#known, ([appliance, base]) => ({
      url: `${base}/${pathOf(file)}`,
      appliance,
      unsaid: true,
    }))
    const well = urls.filter(({ appliance }) => !avoided.includes(appliance))
    return (well.length > 0 ? well : urls).toReversed()
  }
}

const pathOf = (file) => file.split('/').map(encodeURIComponent).join('/')
