import { readFileSync } from 'node:fs'
import { resolveManifests } from '../../cli/changes/resolve.ts'
import { processIo } from '../../cli/io.ts'
import { parseManifests } from '../../cli/manifests/manifest.ts'
import { manifestError } from '../../cli/manifests/problem.ts'
import { SourceText } from '../../cli/manifests/source-text.ts'
import { blobDoor } from '../../cli/plan/blob-door.ts'
import { PlanBlobs } from '../../cli/plan/blobs.ts'
import { examine } from '../../cli/plan/examine.ts'
import { simulate } from '../../cli/plan/simulate.ts'
import { readFleet } from '../../cli/plan/snapshot.ts'
import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import type { PlacementSolver, SolvedSite, SolvedSites } from '../../reconcilers/placement/problem.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import type { Split } from './measure.ts'

// What `weir plan` spends its CPU time on: node bench/plan/split.ts MANIFEST KUBECONFIG
const [, , file = '', kubeconfig = ''] = process.argv
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
const { io } = processIo()
const client = new Client({ access: await loadKubeconfig({ path: kubeconfig }), maxConnections: 32 })
const connection = { client, namespace: 'default', namespaceGiven: false }
const loaded = parseManifests(new SourceText(file, readFileSync(file, 'utf8')))
if (loaded.problems.length > 0) throw manifestError(loaded.problems, '')
const set = await resolveManifests(loaded, connection, io.interrupted)
const [work, fleet] = await Promise.all([
  examine(io, connection, set, { fieldManager: 'weir', take: [], prune: false, delete: false }),
  readFleet(client, io.interrupted),
])
const read = cpuSeconds()
let solver = 0
/** `work`, its CPU time counted as the solver's. */
const counted = <T>(work: () => T): T => {
  const before = cpuSeconds()
  try {
    return work()
  } finally {
    solver += cpuSeconds() - before
  }
}
function* countedSites(sites: SolvedSites['sites']): Generator<SolvedSite> {
  const iterator = sites[Symbol.iterator]()
  for (let next = counted(() => iterator.next()); !next.done; next = counted(() => iterator.next())) yield next.value
}
const { solveSites } = defaultSolver
const measured: PlacementSolver = {
  name: defaultSolver.name,
  solve: (problem, control) => counted(() => defaultSolver.solve(problem, control)),
  ...(solveSites && {
    solveSites: (problem, control) => {
      const solved = counted(() => solveSites(problem, control))
      return {
        ...solved,
        sites: countedSites(solved.sites),
        worth: () => solved.worth(),
        endedEarly: () => solved.endedEarly(),
      }
    },
  }),
}
const blobs = new PlanBlobs(blobDoor(client, undefined, io.interrupted), undefined)
const reader = new BlobReader(blobs)
await simulate({
  ...fleet,
  work,
  blobs,
  reader,
  solver: measured,
  readSources: false,
  now: new Date(),
  signal: io.interrupted,
})
client.close()
const split: Split = { read, solver, rest: cpuSeconds() - read - solver }
console.log(JSON.stringify(split))
