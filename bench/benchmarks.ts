import type { Benchmark } from './benchmark.ts'

/** All there are, in the order in which they run. Add yours here, with a lazy import. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'apiserver',
    about: 'durable PUTs and watch fan-out, beside kube-apiserver and etcd where KUBEBUILDER_ASSETS is set',
    byDefault: true,
    run: async (report) => (await import('./apiserver/compare.ts')).compareApiServers(report),
  },
  {
    name: 'fill',
    about: 'an agent that fills and verifies, beside curl and sha256sum',
    byDefault: true,
    run: async (report) => (await import('./fill/compare.ts')).compareFill(report),
  },
  {
    name: 'queue',
    about: 'the work queue beside client-go where there is Go, and the controller loop',
    byDefault: true,
    run: async (report) => (await import('./queue/compare.ts')).compareQueues(report),
  },
  {
    name: 'validation',
    about: 'objects against schemas and CEL rules, and what CRDs cost when a server starts',
    byDefault: true,
    run: async (report) => (await import('./validation/measure.ts')).measureValidation(report),
  },
  {
    name: 'diff',
    about: 'weir diff of 500 objects 20 ms away, beside kubectl diff --server-side where KUBEBUILDER_ASSETS is set',
    byDefault: true,
    run: async (report) => (await import('./diff/compare.ts')).compareDiff(report),
  },
  {
    name: 'start',
    about: 'weir --help, completion and get as published, beside kubectl where KUBEBUILDER_ASSETS is set',
    byDefault: true,
    run: async (report) => (await import('./start/measure.ts')).measureStart(report),
  },
  {
    name: 'validate-cli',
    about: 'weir validate of 10,000 and 50,000 objects, beside kubeconform where there is Go',
    byDefault: true,
    run: async (report) => (await import('./validate/compare.ts')).compareValidate(report),
  },
  {
    name: 'cold-start',
    about: 'weir up, from nothing to a ready API',
    byDefault: true,
    run: async (report) => (await import('./cold-start.ts')).measureColdStart(report),
  },
  {
    name: 'converge',
    about: 'a change that touches 5,000 appliances, beside the bare writes and controller-runtime, on each server',
    byDefault: true,
    run: async (report) => (await import('./controllers/converge.ts')).compareConvergence(report),
  },
  {
    name: 'cache',
    about: 'memory that a cached object takes',
    byDefault: true,
    run: async (report) => (await import('./controllers/cache-memory.ts')).measureCacheMemory(report),
  },
  {
    name: 'scrape',
    about: 'what telling Prometheus of 20,000 appliances costs the controllers',
    byDefault: true,
    run: async (report) => (await import('./controllers/scrape.ts')).measureScrape(report),
  },
  {
    name: 'plan',
    about: 'weir plan of changes to 10,000 appliances that hold 100,000 files, on the embedded server',
    byDefault: true,
    run: async (report) => (await import('./plan/measure.ts')).measurePlan(report),
  },
  {
    name: 'placement',
    about: 'what controllers do to plan 1,000 appliances × 100,000 files and 10,000 × 1,000,000: time and memory',
    byDefault: false,
    run: async (report) => (await import('./placement/measure.ts')).measurePlacement(report),
  },
  {
    name: 'moves',
    about: 'what an appliance more, and one less, moves at a site, over seeds, sizes and kinds',
    byDefault: true,
    run: async (report) => (await import('./placement/moves.ts')).measureMoves(report),
  },
  {
    name: 'steering-http',
    about: 'answers of steering over HTTP, beside a bare handler of node:http',
    byDefault: true,
    run: async (report) => (await import('./steering/http.ts')).compareSteeringHttp(report),
  },
  {
    name: 'forecast',
    about: 'forecasts of demand on real weekly hours, where there are any, and what they cost in offload',
    byDefault: false,
    run: async (report) => (await import('./forecast/measure.ts')).measureForecast(report),
  },
  {
    name: 'days',
    about: 'fifty days of placing with what is held in mind: bytes moved and offload, beside placing anew each day',
    byDefault: false,
    run: async (report) => (await import('./forecast/days.ts')).measureDays(report),
  },
  {
    name: 'steering',
    about:
      'the decision of steering over 20,000 appliances: cost, memory, balance over a day, a failure beside round robin',
    byDefault: true,
    run: async (report) => (await import('./steering/measure.ts')).measureSteeringDecision(report),
  },
  {
    name: 'storage',
    about: 'the durable store on SQLite, beside what else it could be built on',
    byDefault: false,
    run: async (report) => (await import('./storage/compare.ts')).compareStorage(report),
  },
]
