import { type Coverage, readCoverage } from '../../reconcilers/steering/client/coverage.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { FollowedFile } from './followed-file.ts'

/** Rows whose faults are told. */
const FAULTS_TOLD = 5

/** Where clients are by a coverage file, which is read again when it has changed. */
export function coverageFile(path: string, clock: Clock, log: Log): FollowedFile<Coverage> {
  return new FollowedFile({
    ...{ path, name: 'coverage file', clock, log },
    take(bytes, before) {
      const coverage = readCoverage(bytes.toString('utf8'))
      const { refused } = coverage
      const fields = { path, prefixes: coverage.size, refused: refused.length }
      if (refused.length === 0) log.info(fields, 'the coverage file has been read')
      else log.warn({ ...fields, first: refused.slice(0, FAULTS_TOLD) }, 'rows of the coverage file are refused')
      // One that is being written, say. Otherwise no client would be known any more.
      const isLost = coverage.size === 0 && refused.length > 0
      return isLost && before ? before : coverage
    },
  })
}
