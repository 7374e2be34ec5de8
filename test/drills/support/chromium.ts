import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PATIENCE_MS = 60_000
/** How long it may take to end. */
const END_MS = 5000

interface Reply {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** Chromium without a window, and one page in it, driven by the DevTools protocol. Only 127.0.0.1 can be reached. */
export class Chromium implements AsyncDisposable {
  readonly #dir: string
  readonly #process: ChildProcess
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  private constructor(dir: string, child: ChildProcess, socket: WebSocket) {
    this.#dir = dir
    this.#process = child
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Reply))
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has gone'))
      this.#waiting.clear()
    })
  }

  /** Opens a page. Throws, with what Chromium said, where it does not start. */
  static async open(url: string): Promise<Chromium> {
    const dir = mkdtempSync(join(tmpdir(), 'weir-chromium-'))
    const child = spawn(
      'chromium',
      [
        ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${dir}`],
        ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-extensions'],
        ...['--remote-debugging-port=0', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
        ...['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', 'about:blank'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    try {
      const { port } = new URL(await devTools(child))
      const page = await fetch(`http://127.0.0.1:${port}/json/new?${encodeURIComponent(url)}`, { method: 'PUT' })
      const { webSocketDebuggerUrl } = (await page.json()) as { webSocketDebuggerUrl: string }
      const socket = new WebSocket(webSocketDebuggerUrl)
      await once(socket, 'open')
      return new Chromium(dir, child, socket)
    } catch (error) {
      await end(child, dir)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await end(this.#process, this.#dir)
  }

  /** Opens another page in place of the one that is there. */
  async goTo(url: string): Promise<void> {
    await this.#send('Page.navigate', { url })
  }

  /** The value of an expression in the page, as JSON carries it; a promise is waited for. Throws what the page throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = (await this.#send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })) as {
      result: { value: T }
      exceptionDetails?: { text: string; exception?: { description?: string } }
    }
    const { exceptionDetails: thrown } = answer
    if (thrown) throw new Error(thrown.exception?.description ?? thrown.text)
    return answer.result.value
  }

  #send(method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#socket.send(JSON.stringify({ id, method, params }))
    const timer = setTimeout(() => waiting.reject(new Error(`Chromium does not answer ${method}`)), PATIENCE_MS)
    return waiting.promise.finally(() => clearTimeout(timer))
  }

  #take({ id, result, error }: Reply): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id!)
    if (error) waiting.reject(new Error(error.message))
    else waiting.resolve(result)
  }
}

/** Where Chromium listens, once it says so. */
function devTools(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  const inVain = (why: string) => reject(new Error(`Chromium ${why}: ${said.slice(-2000)}`))
  const timer = setTimeout(() => inVain('does not listen'), PATIENCE_MS)
  child.once('error', (error) => inVain(error.message))
  child.once('exit', () => inVain('ended'))
  // Read on to its end: what nobody reads would hold it up.
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-10_000)
    const url = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
    if (url !== undefined) resolve(url)
  })
  return promise.finally(() => clearTimeout(timer))
}

async function end(child: ChildProcess, dir: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    // It ends its helpers first.
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
    await ended
    clearTimeout(timer)
  }
  // Helpers of one that was killed end by themselves, a moment later, and may write until then.
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}
