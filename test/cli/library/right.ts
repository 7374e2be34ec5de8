// Compiled by test/cli/library.test.ts against the package's types, as a user's file would be.
import type { Site, SiteManifest, SiteSpecInput } from 'weir'
import { appliance, catalog, hardwareClass, placementPolicy, site, toYaml } from 'weir'

// Deeply readonly data, shared between objects.
const nights = [{ start: '02:00', end: '08:00', maxGbps: 4, days: ['Mon', 'Tue'] }] as const
const spec = { country: 'DE', metro: 'fra', fillWindows: nights } as const satisfies SiteSpecInput

const fra1: SiteManifest = site('fra1', spec, { namespace: 'cdn', labels: { tier: 'edge' } })
const boxes = ['a', 'b'].map((letter) =>
  appliance(
    `fra1-${letter}`,
    { siteRef: { name: fra1.metadata.name }, hardwareClassRef: { name: 'flash-60t' }, mode: 'InService' },
    { namespace: 'cdn' },
  ),
)
const flash = hardwareClass('flash-60t', { storageBytes: 60e12, storageMedium: 'flash', throughputGbps: 200 })
const films = catalog('films', { source: { url: 'https://origin.example/films/catalog.ndjson' } }, { namespace: 'cdn' })
const everywhere = placementPolicy(
  'films',
  {
    catalogRef: { name: films.metadata.name },
    copies: {},
    pins: [{ paths: ['trailers/**'] }, { paths: ['a'], copies: 2 }],
  },
  { namespace: 'cdn' },
)

// What the API gives out has its defaults, and can be built upon.
export const moved = (live: Site): SiteManifest => site(live.metadata.name ?? '', { ...live.spec, metro: 'ber' })
export const text: string = toYaml([flash, fra1, ...boxes, films, everywhere])
console.log(text)
