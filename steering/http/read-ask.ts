import { type Address, parseAddress } from '../../reconcilers/steering/address.ts'
import { MAX_URLS, PURPOSES, type Purpose } from '../../reconcilers/steering/types.ts'
import { type Ask, MAX_EXCLUDED, MAX_FILES, MAX_PATH } from '../ask.ts'
import { type Fault, invalid } from './problem.ts'

/** What a request asks, and for whom, where it says so: only trusted proxies may. */
export interface ReadAsk extends Ask {
  readonly client: string | undefined
}

const NONE: readonly string[] = []
/** Faults that are told: an answer must not be many times as long as what was asked. */
const MAX_FAULTS = 20
const BODY_FIELDS = ['client', 'files', 'catalog', 'title', 'purpose', 'exclude', 'maxUrls', 'explain'] as const
const isPurpose = (value: unknown): value is Purpose => (PURPOSES as readonly unknown[]).includes(value)

/** Reads the body of `POST /v1/steer`. Throws an HttpProblem with every fault and its place. */
export function askOfBody(text: string): ReadAsk {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw invalid([{ pointer: '', detail: `the body is not JSON: ${(error as Error).message}` }])
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid([{ pointer: '', detail: 'the body must be a JSON object' }])
  const faults: Fault[] = []
  const fault = (field: string, detail: string) => {
    if (faults.length < MAX_FAULTS) faults.push({ pointer: `/${field}`, detail })
  }
  const known: readonly string[] = BODY_FIELDS
  for (const field in body) {
    if (!known.includes(field))
      fault(
        field.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100),
        `is not known; there are ${known.join(', ')}`,
      )
  }
  const { client, files, catalog, title, purpose, exclude, maxUrls, explain } = body as Record<string, unknown>
  const ask = {
    client: text_(client, 'client', fault),
    files: texts(files, 'files', MAX_FILES, fault),
    catalog: text_(catalog, 'catalog', fault),
    title: text_(title, 'title', fault),
    purpose: purpose === undefined ? 'vod' : (purpose as Purpose),
    exclude: texts(exclude, 'exclude', MAX_EXCLUDED, fault),
    maxUrls: maxUrls === undefined ? 0 : (maxUrls as number),
    explain: explain === true,
  }
  if (!isPurpose(ask.purpose)) fault('purpose', `must be one of ${PURPOSES.join(', ')}`)
  if (maxUrls !== undefined && !(Number.isInteger(maxUrls) && ask.maxUrls >= 1 && ask.maxUrls <= MAX_URLS))
    fault('maxUrls', `must be a whole number from 1 to ${MAX_URLS}`)
  if (explain !== undefined && typeof explain !== 'boolean') fault('explain', 'must be true or false')
  checkWhat(ask, 'files', fault)
  if (faults.length > 0) throw invalid(faults)
  return ask
}

type TellFault = (field: string, detail: string) => void

function text_(value: unknown, field: string, fault: TellFault): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= MAX_PATH) return value
  fault(field, `must be a text of 1 to ${MAX_PATH} characters`)
  return undefined
}

function texts(value: unknown, field: string, most: number, fault: TellFault): readonly string[] {
  if (value === undefined) return NONE
  if (!Array.isArray(value) || value.length > most) {
    fault(field, `must be a list of at most ${most} texts`)
    return NONE
  }
  for (let i = 0; i < value.length; i++) {
    const each: unknown = value[i]
    if (typeof each !== 'string' || each === '' || each.length > MAX_PATH) text_(each ?? '', `${field}/${i}`, fault)
  }
  return value as string[]
}

function checkWhat({ files, title, catalog }: Ask, field: string, fault: TellFault): void {
  if (files.length === 0 && title === undefined) fault(field, 'is missing; so is "title"')
  else if (files.length > 0 && title !== undefined) fault('title', `cannot be given beside "${field}"`)
  if (catalog !== undefined && !/^[^/]+\/[^/]+$/.test(catalog)) fault('catalog', 'must be namespace/name')
}

/** Reads the query of `GET /v1/steer?file=…&purpose=…`. Throws an HttpProblem with every fault and the parameter. */
export function askOfQuery(query: string): ReadAsk {
  let client: string | undefined
  let catalog: string | undefined
  let title: string | undefined
  let purpose: Purpose = 'vod'
  let maxUrls = 0
  let explain = false
  const files: string[] = []
  const exclude: string[] = []
  const faults: Fault[] = []
  const fault = (parameter: string, detail: string) => {
    if (faults.length < MAX_FAULTS) faults.push({ parameter, detail })
  }
  for (let start = 0; start < query.length; ) {
    const found = query.indexOf('&', start)
    const end = found < 0 ? query.length : found
    const equals = query.indexOf('=', start)
    const middle = equals < 0 || equals > end ? end : equals
    const name = query.slice(start, middle)
    const value = decoded(query.slice(Math.min(middle + 1, end), end))
    start = end + 1
    if (name === '' && value === '') continue
    if (value === undefined || value === '' || value.length > MAX_PATH) {
      fault(name.slice(0, 100), `must be a well encoded text of 1 to ${MAX_PATH} characters`)
      continue
    }
    if (name === 'file') files.push(value)
    else if (name === 'exclude') exclude.push(value)
    else if (name === 'client') client = value
    else if (name === 'catalog') catalog = value
    else if (name === 'title') title = value
    else if (name === 'purpose') purpose = value as Purpose
    else if (name === 'maxUrls') {
      maxUrls = Number(value)
      if (!(Number.isInteger(maxUrls) && maxUrls >= 1 && maxUrls <= MAX_URLS))
        fault(name, `must be a whole number from 1 to ${MAX_URLS}`)
    } else if (name === 'explain') {
      explain = value === 'true' || value === '1'
      if (!explain && value !== 'false' && value !== '0') fault(name, 'must be true or false')
    } else
      fault(
        name.slice(0, 100),
        'is not known; there are client, file, catalog, title, purpose, exclude, maxUrls, explain',
      )
  }
  if (!isPurpose(purpose)) fault('purpose', `must be one of ${PURPOSES.join(', ')}`)
  if (files.length > MAX_FILES) fault('file', `is given more than ${MAX_FILES} times`)
  if (exclude.length > MAX_EXCLUDED) fault('exclude', `is given more than ${MAX_EXCLUDED} times`)
  const ask = { client, files, catalog, title, purpose, exclude, maxUrls, explain }
  checkWhat(ask, 'file', fault)
  if (faults.length > 0) throw invalid(faults)
  return ask
}

/** Undefined where the escapes are malformed. */
function decoded(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Reads the address of a client that a trusted proxy asks for. Throws an HttpProblem. */
export function readClient(text: string, into: Address): void {
  if (!parseAddress(text, into))
    throw invalid([{ pointer: '/client', parameter: 'client', detail: 'must be an IP address' }])
}
