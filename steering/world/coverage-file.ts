import { type Coverage, compileCoverage } from '../../reconcilers/steering/client/coverage.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { FollowedFile } from './followed-file.ts'
import { inSlices } from './in-slices.ts'
import type { LocationReader } from './location-reader.ts'

/** Where clients are by a coverage file, which is read again when it has changed: on the thread of `reader`, and taken in slice by slice. */
export function coverageFile(path: string, reader: LocationReader, clock: Clock, log: Log): FollowedFile<Coverage> {
  return new FollowedFile({
    ...{ path, name: 'coverage file', clock, log },
    async read(before) {
      const { tables } = await reader.coverage(path)
      const { refused, prefixes } = tables
      const fields = { path, prefixes: prefixes.count, refused: refused.count }
      if (refused.count === 0) log.info(fields, 'the coverage file has been read')
      else log.warn({ ...fields, first: refused.first }, 'rows of the coverage file are refused')
      // One that is being written, say. Otherwise no client would be known any more.
      const isLost = prefixes.count === 0 && refused.count > 0
      return isLost && before ? before : inSlices(compileCoverage(tables))
    },
  })
}
