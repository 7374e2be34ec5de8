/** What one room may import, besides itself. Rows of the table in docs/architecture.md. */
export interface RoomRule {
  readonly rooms: readonly string[] | 'all'
  /** Packages from the registry; `all`: any. A package's subpaths are included. */
  readonly packages: readonly string[] | 'all'
  /** `node:` modules. */
  readonly node: boolean
  /** No clock, network, disk, randomness, timers or process: see `impureGlobals`. */
  readonly pure: boolean
}

const program = { rooms: ['crds', 'reconcilers', 'runtime'], packages: [], node: true, pure: false } as const

export const rooms: Readonly<Record<string, RoomRule>> = {
  crds: { rooms: [], packages: ['ajv'], node: false, pure: true },
  reconcilers: { rooms: ['crds'], packages: ['fast-json-patch'], node: false, pure: true },
  runtime: { rooms: ['crds'], packages: 'all', node: true, pure: false },
  controllers: program,
  apiserver: { rooms: ['crds', 'runtime'], packages: ['fast-json-patch'], node: true, pure: false },
  gateway: program,
  agent: program,
  steering: { ...program, packages: ['dns-packet'] },
  cli: { rooms: 'all', packages: 'all', node: true, pure: false },
}

/** Folders that are no part of the product: they may import anything, and no room may import them. */
export const outside: readonly string[] = ['test', 'bench', 'scripts']

/** Folders without code. */
export const withoutCode: readonly string[] = ['docs', 'examples', 'charts']

const clock = 'take `now: Date` as an argument; the controller asks its Clock'
const random = 'derive it from the input (reconcilers/placement/hash.ts), or let the controller pass it in'
const effect = 'return it in the Plan; controllers/execute.ts carries it out'
const gathered = 'let the controller gather it, and pass it in'
const timer = 'return `requeueAfter` in the Plan; only runtime/ waits'

/** Globals that a pure room may not touch, and what to use instead. `Date` and `Math` are checked by member. */
export const impureGlobals: Readonly<Record<string, string>> = {
  process: gathered,
  globalThis: gathered,
  global: gathered,
  navigator: gathered,
  require: 'import a pure module',
  eval: 'write the code out',
  Function: 'write the code out',
  Worker: effect,
  fetch: gathered,
  WebSocket: gathered,
  EventSource: gathered,
  XMLHttpRequest: gathered,
  console: 'put it into a condition or an event of the Plan',
  setTimeout: timer,
  setInterval: timer,
  setImmediate: timer,
  clearTimeout: timer,
  clearInterval: timer,
  clearImmediate: timer,
  queueMicrotask: timer,
  performance: clock,
  crypto: 'take a `digest` function, or random bytes, as an argument',
  WeakRef: 'keep what is needed in plain data',
}

export const impureMembers: Readonly<Record<string, string>> = {
  'Date.now': clock,
  'Math.random': random,
  'import.meta': gathered,
}

export const dateWithoutArgument = clock
