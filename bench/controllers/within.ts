/** What `work` gives; rejects once it has taken too long. `what` names it in the message. */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} has not ended after ${timeoutMs / 1000} s`)), timeoutMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves once `done` says so, looked at every 50 ms; rejects when that takes too long. `what` names it in the message. */
export async function until(timeoutMs: number, what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`${what} has not come true after ${timeoutMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Resolves once a process has used next to no CPU time for a second: what it had to do is done. */
export async function untilQuiet(timeoutMs: number, what: string, cpuSeconds: () => number): Promise<void> {
  let sinceMs = performance.now()
  let used = cpuSeconds()
  await until(timeoutMs, `${what} at rest`, () => {
    // Timers and keep-alives take a few of the hundredths that are counted in.
    if (cpuSeconds() - used > 0.03) {
      sinceMs = performance.now()
      used = cpuSeconds()
    }
    return performance.now() - sinceMs > 1000
  })
}
