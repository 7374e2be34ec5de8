import { readFile } from 'node:fs/promises'
import type { Clock } from '../../runtime/clock.ts'
import { type GeoDatabase, openGeoDatabase } from '../../runtime/geo/geo-database.ts'
import type { Log } from '../../runtime/log.ts'
import { FollowedFile } from './followed-file.ts'

/** A database of addresses in MaxMind's format, which is read again when it has changed: new ones come out every week. */
export function geoFile(path: string, clock: Clock, log: Log): FollowedFile<GeoDatabase> {
  return new FollowedFile({
    ...{ path, name: 'database of addresses', clock, log },
    async read() {
      const database = openGeoDatabase(await readFile(path))
      log.info({ path, type: database.type, builtAt: database.builtAt }, 'the database of addresses has been read')
      return database
    },
  })
}
