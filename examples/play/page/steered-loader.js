/** An appliance that sends nothing for so long has failed: well before what is buffered runs out. */
const SILENCE_MS = 1500

const newStats = () => ({
  ...{ aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0 },
  loading: { start: 0, first: 0, end: 0 },
  parsing: { start: 0, end: 0 },
  buffering: { start: 0, first: 0, end: 0 },
})

/**
 * A loader class for hls.js (`config.loader`). hls.js works with addresses below `base`; what is below it is a file
 * (`namespace/catalog/path`), which is fetched from the first appliance that steering names, and from the next where that fails.
 * `onServed` and `onFailed` are told which.
 */
export function steeredLoader({ steering, base, onServed, onFailed }) {
  return class SteeredLoader {
    context = null
    stats = newStats()
    #callbacks = null
    #abort = new AbortController()

    load(context, _config, callbacks) {
      this.context = context
      this.#callbacks = callbacks
      this.stats.loading.start = performance.now()
      this.#run(decodeURIComponent(context.url.slice(base.length))).then(
        (data) => this.#callbacks?.onSuccess({ url: context.url, data, code: 200 }, this.stats, context, null),
        (error) => this.#callbacks?.onError({ code: 0, text: error.message }, context, null, this.stats),
      )
    }

    abort() {
      const callbacks = this.#callbacks
      this.#end()
      if (callbacks) callbacks.onAbort?.(this.stats, this.context, null)
    }

    destroy() {
      this.#end()
    }

    getCacheAge() {
      return null
    }

    getResponseHeader() {
      return null
    }

    #end() {
      if (!this.#callbacks) return
      this.#callbacks = null
      this.stats.aborted = true
      this.#abort.abort()
    }

    async #run(file) {
      const failed = []
      for (const { url, appliance, unsaid } of await steering.urlsOf(file, this.#abort.signal)) {
        const startedMs = performance.now()
        try {
          const data = await this.#fetch(url)
          const ms = Math.round(performance.now() - this.stats.loading.start)
          onServed({ file, url, appliance, unsaid: unsaid === true, failed, ms })
          return data
        } catch (error) {
          if (this.#abort.signal.aborted) throw error
          const failure = { file, url, appliance, why: error.message, ms: Math.round(performance.now() - startedMs) }
          failed.push(failure)
          onFailed(failure)
          // Who was asked on the off chance has not failed by not having it.
          if (!unsaid || !error.isAnswer) steering.failed(appliance)
        }
      }
      throw new Error(failed.length > 0 ? `all that were named for ${file} have failed` : `nobody has ${file}`)
    }

    async #fetch(url) {
      const { rangeStart, rangeEnd, responseType } = this.context
      const { stats } = this
      const silent = new AbortController()
      const sayNothing = () => silent.abort(new Error(`nothing came for ${SILENCE_MS} ms`))
      let timer = setTimeout(sayNothing, SILENCE_MS)
      try {
        const answer = await fetch(url, {
          headers: rangeEnd ? { Range: `bytes=${rangeStart}-${rangeEnd - 1}` } : {},
          signal: AbortSignal.any([silent.signal, this.#abort.signal]),
        })
        if (!answer.ok) throw Object.assign(new Error(`it answers ${answer.status}`), { isAnswer: true })
        stats.loading.first = performance.now()
        stats.total = Number(answer.headers.get('Content-Length'))
        stats.loaded = 0
        const chunks = []
        for (const reader = answer.body.getReader(); ; ) {
          const { done, value } = await reader.read()
          if (done) break
          clearTimeout(timer)
          timer = setTimeout(sayNothing, SILENCE_MS)
          chunks.push(value)
          stats.loaded += value.length
          stats.chunkCount++
        }
        stats.loading.end = performance.now()
        const blob = new Blob(chunks)
        return responseType === 'arraybuffer' ? await blob.arrayBuffer() : await blob.text()
      } finally {
        clearTimeout(timer)
      }
    }
  }
}
