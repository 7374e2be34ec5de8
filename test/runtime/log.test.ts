import { expect, test } from '@jest/globals'
import { createLog } from '../../runtime/log.ts'

test('lines are JSON with the level as a word, the time in RFC 3339, and what their child logs add', () => {
  const lines: string[] = []
  const log = createLog({ program: 'weir', level: 'info', destination: { write: (line) => lines.push(line) } })
  log.debug({}, 'not said')
  log.child({ controller: 'site' }).warn({ n: 1, err: new TypeError('oops') }, 'said')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    program: 'weir',
    controller: 'site',
    n: 1,
    err: { type: 'TypeError', message: 'oops', stack: expect.stringContaining('log.test') },
    msg: 'said',
  })
})
