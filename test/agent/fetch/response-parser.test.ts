import { describe, expect, test } from '@jest/globals'
import { ResponseParser } from '../../../agent/fetch/response-parser.ts'

interface Parsed {
  readonly status: number
  readonly body: string
  readonly ended: number
  readonly keepAlive: boolean
  readonly headers: Record<string, string>
}

/** Feeds an answer in pieces of `step` bytes, each in a buffer that is overwritten afterwards. */
function parse(text: string, step: number, close = false): Parsed {
  let status = 0
  let ended = 0
  let headers: Record<string, string> = {}
  const body: Buffer[] = []
  const parser = new ResponseParser({
    head(got, all) {
      status = got
      headers = Object.fromEntries(all)
    },
    body: (chunk) => void body.push(Buffer.from(chunk)),
    end: () => ended++,
  })
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += step) {
    const piece = Buffer.from(bytes.subarray(at, at + step))
    parser.push(piece)
    piece.fill(0x21)
  }
  if (close) parser.close()
  return { status, body: Buffer.concat(body).toString('latin1'), ended, keepAlive: parser.keepAlive, headers }
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

const cases = [
  {
    reason: 'by length',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello',
    body: 'hello',
    headers: { 'content-length': '5', 'x-a': 'b' },
  },
  { reason: 'nothing', text: 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', status: 404, body: '' },
  { reason: 'no reason phrase', text: 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', body: 'x' },
  { reason: 'chunks', text: `${chunked}3\r\nabc\r\n0A;ext=1\r\n0123456789\r\n0\r\n\r\n`, body: 'abc0123456789' },
  { reason: 'chunks and trailers', text: `${chunked}1\r\na\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n`, body: 'a' },
  {
    reason: 'an informational answer before',
    text: 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    body: 'ok',
  },
  { reason: 'not modified has no body', text: 'HTTP/1.1 304 Not Modified\r\n\r\n', status: 304, body: '' },
  {
    reason: 'the server will close',
    text: 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx',
    body: 'x',
    keepAlive: false,
  },
  { reason: 'HTTP/1.0', text: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', body: 'x', keepAlive: false },
  {
    reason: 'up to the end',
    text: 'HTTP/1.1 200 OK\r\n\r\nall of it',
    close: true,
    body: 'all of it',
    keepAlive: false,
  },
  {
    reason: 'bytes after the end belong to nothing, and the connection is not used again',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz',
    body: 'x',
    keepAlive: false,
  },
]

describe('an answer is read whole, wherever its pieces are cut', () => {
  test.each(cases)('$reason', ({ text, body, status = 200, keepAlive = true, headers, close = false }) => {
    for (let step = 1; step <= text.length; step++) {
      const parsed = parse(text, step, close)
      expect([step, parsed.status, parsed.body, parsed.ended, parsed.keepAlive]).toEqual([
        step,
        status,
        body,
        1,
        keepAlive,
      ])
      if (headers) expect(parsed.headers).toEqual(headers)
    }
  })
})

describe('what is not HTTP is refused', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', 'it begins with "SSH-2.0-OpenSSH"'],
    ['a status out of range', 'HTTP/1.1 600 No\r\n\r\n', 'it begins with'],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\n\r\n', 'it switches protocols'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'its length is "-1"'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'it has two lengths'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n', 'a malformed header'],
    ['compression nobody asked for', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', '"gzip, chunked"'],
    ['a chunk size that is no number', `${chunked}zz\r\n`, 'a chunk has the size "zz"'],
    ['a chunk that is too long', `${chunked}1\r\nabc\r\n`, 'a chunk is longer than it says'],
    ['an endless head', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(12_000)}`, 'its head is too long'],
    ['an endless chunk line', chunked + '1'.repeat(70_000), 'too long'],
  ])('%s', (_, text, message) => {
    expect(() => parse(text, 1 << 20)).toThrow(message)
    expect(() => parse(text, 997)).toThrow(message)
  })
})

test('an answer cut short is not whole', () => {
  const parser = new ResponseParser({ head: () => {}, body: () => {}, end: () => {} })
  parser.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'))
  expect(parser.close()).toBe(false)
  expect(parser.isDone).toBe(false)
})
