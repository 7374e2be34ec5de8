import { registry } from '../../crds/registry.gen.ts'
import type { Appliance, Site } from '../../crds/types.gen.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { putCatalog, setInventory } from '../../reconcilers/steering/update.ts'
import { systemClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { Blobs } from '../../steering/world/blobs.ts'
import { CatalogIndex, catalogTables } from '../../steering/world/catalog-index.ts'
import { CatalogReader } from '../../steering/world/catalog-reader.ts'
import { Model } from '../../steering/world/model.ts'

export interface FleetSize {
  readonly sites: number
  readonly appliancesPerSite: number
  readonly files: number
}

export const pathOf = (file: number) => `films/${file % 1000}/title-${file}/1080p/video.mp4`
/** An address of a client of a site: of this machine, so that connections can come from it. */
export const clientOf = (site: number) => `127.${1 + (site >> 8)}.${site & 255}.7`

const meta = (name: string) => ({ name, namespace: 'bench', uid: name, resourceVersion: '1' })

/** A model of a fleet as it comes from the API, every file on two appliances of each site. */
export function benchModel({ sites, appliancesPerSite, files }: FleetSize): Model {
  const nowhere = { get: async () => undefined, has: async () => false, path: () => '' }
  const model = new Model({
    blobs: new Blobs(nowhere, undefined, () => {}),
    reader: new CatalogReader(),
    clock: systemClock,
    log: silentLog,
  })
  const tables = catalogTables(
    Array.from({ length: files }, (_, i) => ({ path: pathOf(i) })),
    files,
    files * 48,
  )
  putCatalog(model.world, 'bench/films', new CatalogIndex(`sha256:${'0'.repeat(64)}`, tables))
  for (let s = 0; s < sites; s++) model.put('Site', siteNumber(s))
  const held = Array.from({ length: appliancesPerSite }, (_, a) => {
    const set = new FileSet()
    for (let i = 0; i < files; i++) if (i % appliancesPerSite === a || (i + 1) % appliancesPerSite === a) set.add(i)
    return set
  })
  for (let s = 0; s < sites; s++) {
    for (let a = 0; a < appliancesPerSite; a++) {
      model.put('Appliance', applianceNumber(s, a))
      setInventory(model.world, `bench/a${s}-${a}`, 'bench/films', held[a])
    }
  }
  model.tick()
  return model
}

function siteNumber(s: number): Site {
  const { apiVersion, kind } = registry.Site
  const network = { prefixes: [`127.${1 + (s >> 8)}.${s & 255}.0/24`] }
  const spec = { country: 'DE', metro: `m${s % 100}`, network, tier: 'edge', timeZone: 'UTC', parents: [] }
  return { apiVersion, kind, metadata: meta(`s${s}`), spec } as unknown as Site
}

function applianceNumber(s: number, a: number): Appliance {
  const { apiVersion, kind } = registry.Appliance
  const url = `https://a${a}.s${s}.cdn.example.net`
  return {
    apiVersion,
    kind,
    metadata: meta(`a${s}-${a}`),
    spec: { siteRef: { name: `s${s}` }, hardwareClassRef: { name: 'large' }, mode: 'InService' },
    status: { addresses: [{ type: 'HTTP', url }], conditions: [{ type: 'Online', status: 'True' }] },
  } as unknown as Appliance
}
