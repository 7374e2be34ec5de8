import type { Explanation } from '../../steering/http/explanation.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { escapeTerminal } from '../output/escape.ts'
import { TabWriter } from '../output/tab-writer.ts'

export interface SteerExplainFlags {
  readonly client?: string
  readonly file?: readonly string[]
  readonly title?: string
  readonly purpose: string
  readonly exclude?: readonly string[]
  readonly steering: string
  readonly output: string
}

interface Answered {
  readonly urls: readonly { readonly url: string; readonly appliance?: string; readonly tier: string }[]
  readonly expiresAt: string
  readonly ttlSeconds: number
  readonly miss: string
  readonly explanation: Explanation
}

const MISSES: Readonly<Record<string, string>> = {
  none: '',
  content: 'Nobody at the client’s own site holds it.',
  health: 'Nobody who holds it at the client’s own site is up.',
  capacity: 'Those who hold it at the client’s own site are too busy.',
}
/** By which source a client has been located. */
const KNOWN_BY: Readonly<Record<Explanation['client']['knownBy'], string>> = {
  site: 'a prefix that the site announces',
  bgp: 'a route that appliances hear by BGP',
  coverage: 'the coverage file',
  geo: 'the database of addresses',
  given: 'who asked',
  none: '',
}
const TIMEOUT_MS = 10_000

/** `weir steer explain`: one question to steering, with the reasons. */
export async function runSteerExplain(io: Io, words: readonly string[], flags: SteerExplainFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const { client, file = [], title, purpose, exclude = [], steering, output } = flags
  if (client === undefined) throw usageError('--client is missing')
  if (file.length === 0 && title === undefined) throw usageError('--file or --title is missing')
  if (output !== 'text' && output !== 'json') throw usageError(`-o must be text or json, not "${output}"`)
  if (!URL.canParse(steering)) throw usageError(`--steering must be a URL, not "${steering}"`)
  const body = { client, purpose, exclude, explain: true, ...(title === undefined ? { files: file } : { title }) }
  const answer = await ask(new URL('/v1/steer', steering), body, io.interrupted)
  if (output === 'json') await io.out(`${JSON.stringify(answer, null, 2)}\n`)
  else await io.out(escapeTerminalLines(storyOf(answer)))
  return ExitCode.ok
}

async function ask(url: URL, body: object, signal: AbortSignal): Promise<Answered> {
  let answer: Response
  try {
    const aborts = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal: aborts })
  } catch (error) {
    const { cause, message } = error as Error
    throw new CliError(
      ExitCode.api,
      `steering at ${url.origin} cannot be reached: ${(cause as Error)?.message || message}`,
    )
  }
  const text = await answer.text()
  if (answer.status === 200) return JSON.parse(text) as Answered
  const detail = detailOf(text) ?? `it answers ${answer.status}`
  // What is wrong with the question is the question's fault; everything else is not.
  throw new CliError(
    answer.status === 400 || answer.status === 404 ? ExitCode.usage : ExitCode.api,
    `steering at ${url.origin}: ${detail}`,
  )
}

function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { detail?: string }).detail
  } catch {
    return undefined
  }
}

function storyOf({ urls, explanation, miss, ttlSeconds }: Answered): string {
  const { client, policy, catalog, files, candidates } = explanation
  const table = new TabWriter({ minWidth: 0, padding: 2 })
  table.line(['TIER', 'SITE', 'CANDIDATE', 'LOAD', 'REASON', ''])
  for (const { appliance, site, fallback, tier, reason, message, utilisation } of candidates) {
    const load = utilisation === undefined ? '-' : `${Math.round(utilisation * 100)}%`
    table.line([tier, site ?? '-', appliance ?? fallback ?? '-', load, reason, message])
  }
  const lines = [
    `Client ${client.address}: ${whereIs(client)}`,
    `Files of ${catalog}: ${files.join(', ')}`,
    `Policy ${policy}`,
    ...(MISSES[miss] ? [MISSES[miss]] : []),
    '',
    urls.length === 0 ? 'Nobody is named.' : `Named, best first, for ${ttlSeconds} s:`,
    ...urls.map(({ url, tier }, i) => `  ${i + 1}. ${url}  (${tier})`),
    '',
  ]
  return `${lines.join('\n')}\n${candidates.length === 0 ? 'There was no candidate.\n' : table.flush()}`
}

function whereIs({ site, region, coordinates, knownBy }: Explanation['client']): string {
  if (knownBy === 'none') return 'nobody knows where it is'
  const point = coordinates ? [`${coordinates.latitude}, ${coordinates.longitude}`] : []
  const place = [...(site === undefined ? [] : [site]), ...(region === undefined ? [] : [`region ${region}`]), ...point]
  return `${place.length > 0 ? place.join(', ') : 'nowhere that this fleet has sites or regions'}, by ${KNOWN_BY[knownBy]}`
}

const escapeTerminalLines = (text: string) => text.split('\n').map(escapeTerminal).join('\n')
