import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readBgpTables } from '../../reconcilers/steering/client/bgp-dump.ts'
import { readCoverage } from '../../reconcilers/steering/client/coverage.ts'
import { answerQuestions } from './answer-questions.ts'
import { type FileTables, type LocationAnswer, type LocationQuestion, versionOf } from './location-messages.ts'

// A million routes as BIRD prints them are hundreds of megabytes, and take seconds to read: here, and piece by piece, so that answers do not wait.

const PIECE_BYTES = 1 << 20

answerQuestions<LocationQuestion, LocationAnswer>(
  ({ type, path }) =>
    type === 'bgp' ? read(path, (texts) => readBgpTables(whole(texts))) : read(path, (texts) => readCoverage(texts)),
  ({ tables }) => ('routes' in tables ? tables.routes : tables.prefixes).chunks.map(({ buffer }) => buffer),
)

function read<Tables>(path: string, readText: (pieces: Iterable<string>) => Tables): FileTables<Tables> {
  const file = openSync(path, 'r')
  try {
    const version = versionOf(fstatSync(file))
    const tables = readText(pieces(file))
    if (versionOf(fstatSync(file)) !== version) throw new Error('it has changed while it was read')
    return { version, tables }
  } finally {
    closeSync(file)
  }
}

function* pieces(file: number): Generator<string> {
  const bytes = Buffer.allocUnsafe(PIECE_BYTES)
  const decoder = new TextDecoder()
  for (let length = 1; length > 0; ) {
    length = readSync(file, bytes, 0, PIECE_BYTES, null)
    const text = decoder.decode(bytes.subarray(0, length), { stream: length > 0 })
    if (text !== '') yield text
  }
}

/** Half a line may be a prefix that is far shorter than the whole. */
function* whole(texts: Iterable<string>): Generator<string> {
  let last = '\n'
  for (const text of texts) {
    last = text
    yield text
  }
  if (!last.endsWith('\n')) throw new Error('its last line has no end: it is not whole')
}
