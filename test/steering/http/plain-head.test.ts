import { expect, test } from '@jest/globals'
import { readPlainHead } from '../../../steering/http/plain-head.ts'

const read = (text: string) => readPlainHead(text, 'x-forwarded-for')
const get = (headers: string, line = 'GET /v1/steer?file=a/b/c HTTP/1.1') => `${line}\r\n${headers}\r\n`

test('what concerns us of a question', () => {
  const text = get(
    'HOST: x\r\nUser-Agent:\tany\xe9 thing \r\nOrigin:  https://tv.example \r\nConnection: Keep-Alive\r\n',
  )
  expect(read(text)).toEqual({
    ...{ method: 'GET', target: '/v1/steer?file=a/b/c', end: text.length, bodyBytes: 0 },
    ...{ origin: 'https://tv.example', forwarded: undefined },
  })
})

test('a body’s length, and headers of proxies in their order', () => {
  const head = get(
    'Host: x\r\nX-Forwarded-For: 1.1.1.1\r\nContent-Length: 2\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3\r\n',
    'POST / HTTP/1.1',
  )
  expect(read(`${head}{}`)).toMatchObject({
    ...{ method: 'POST', end: head.length, bodyBytes: 2, forwarded: '1.1.1.1, 2.2.2.2, 3.3.3.3' },
  })
})

test.each([
  ['nothing', ''],
  ['a head without its end', 'GET / HTTP/1.1\r\nHost: x\r\n'],
  ['a head that ends within a line', 'GET / HTTP/1.1\r\nHost: x'],
  ['another method', get('Host: x\r\n', 'PUT / HTTP/1.1')],
  ['a method in small letters', get('Host: x\r\n', 'get / HTTP/1.1')],
  ['another version', get('Host: x\r\n', 'GET / HTTP/1.0')],
  ['a target of another form', get('Host: x\r\n', 'GET http://x/ HTTP/1.1')],
  ['a target with a control character', get('Host: x\r\n', 'GET /\x01 HTTP/1.1')],
  ['a target beyond ASCII', get('Host: x\r\n', 'GET /\xe9 HTTP/1.1')],
  ['two spaces', get('Host: x\r\n', 'GET  / HTTP/1.1')],
  ['lines that end in LF alone', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['a line that ends in LF alone', get('A: b\nHost: x\r\n')],
  ['a line that ends in CR alone', get('A: b\rHost: x\r\n')],
  ['no host', get('')],
  ['two hosts', get('Host: x\r\nHost: y\r\n')],
  ['a line that goes on in the next', get('Host: x\r\nA: b\r\n c\r\n')],
  ['a space before the colon', get('Host: x\r\nA : b\r\n')],
  ['no name', get('Host: x\r\n: b\r\n')],
  ['no colon', get('Host: x\r\nab\r\n')],
  ['a name beyond ASCII', get('Host: x\r\n\xe9: b\r\n')],
  ['a value with NUL', get('Host: x\r\nA: \0\r\n')],
  ['a body of GET', get('Host: x\r\nContent-Length: 2\r\n')],
  ['POST without a length', get('Host: x\r\n', 'POST / HTTP/1.1')],
  ['two lengths', get('Host: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n', 'POST / HTTP/1.1')],
  ['a length with a sign', get('Host: x\r\nContent-Length: +2\r\n', 'POST / HTTP/1.1')],
  ['two lengths in one', get('Host: x\r\nContent-Length: 2, 2\r\n', 'POST / HTTP/1.1')],
  ['chunks', get('Host: x\r\nTransfer-Encoding: chunked\r\n', 'POST / HTTP/1.1')],
  ['chunks and a length', get('Host: x\r\nContent-Length: 2\r\nTransfer-Encoding: x\r\n', 'POST / HTTP/1.1')],
  ['a body that is packed', get('Host: x\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n', 'POST / HTTP/1.1')],
  [
    'a client that waits to be asked',
    get('Host: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n', 'POST / HTTP/1.1'),
  ],
  ['the last question', get('Host: x\r\nConnection: close\r\n')],
  ['another protocol', get('Host: x\r\nUpgrade: h2c\r\n')],
])('is not plain: %s', (_, text) => {
  expect(read(text)).toBeUndefined()
})
