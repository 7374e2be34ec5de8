// Each line after an `@ts-expect-error` is wrong, and nothing else is; after the code stands what the compiler must say.
import { appliance, hardwareClass, placementPolicy, type SiteManifest, site, toYaml } from 'weir'

// @ts-expect-error 2741: Property 'country' is missing
site('a', { metro: 'fra' })
// @ts-expect-error 2554: Expected 2-3 arguments, but got 1
site('a')
// @ts-expect-error 2561: Object literal may only specify known properties, but 'contry' does not exist in type 'SiteSpecInput'
site('a', { contry: 'DE', metro: 'fra' })
// @ts-expect-error 2322: Type '"middle"' is not assignable to type 'SiteTier'
site('a', { country: 'DE', metro: 'fra', tier: 'middle' })
// @ts-expect-error 2322: Type 'string' is not assignable to type 'number'
site('a', { country: 'DE', metro: 'fra', network: { asn: '64500' } })
// @ts-expect-error 2741: Property 'longitude' is missing
site('a', { country: 'DE', metro: 'fra', coordinates: { latitude: 1 } })
// @ts-expect-error 2322: Type '"Montag"' is not assignable to type 'Weekday'
site('a', { country: 'DE', metro: 'fra', fillWindows: [{ start: '01:00', end: '02:00', days: ['Montag'] }] })
// @ts-expect-error 2561: 'lables' does not exist
site('a', { country: 'DE', metro: 'fra' }, { lables: {} })
// @ts-expect-error 2353: 'namespace' does not exist in type 'ClusterManifestMetadata'
hardwareClass('h', { storageBytes: 1, storageMedium: 'hdd', throughputGbps: 1 }, { namespace: 'x' })
// @ts-expect-error 2322: Type 'string' is not assignable to type 'LocalRef'
appliance('a', { siteRef: 'fra1', hardwareClassRef: { name: 'h' } })
// @ts-expect-error 2322: Type '"some"' is not assignable to type 'number | "all"'
placementPolicy('p', { catalogRef: { name: 'c' }, pins: [{ paths: ['a'], copies: 'some' }] })
// @ts-expect-error 2540: Cannot assign to 'metro' because it is a read-only property
site('a', { country: 'DE', metro: 'fra' }).spec.metro = 'ber'
// @ts-expect-error 2322: Type 'ApplianceManifest' is not assignable
export const mixed: SiteManifest = appliance('a', { siteRef: { name: 'a' }, hardwareClassRef: { name: 'h' } })
// @ts-expect-error 2353: 'name' does not exist in type 'Iterable<KubeObject> | KubeObject'
toYaml({ name: 'a' })
