import { TIERS } from '../../reconcilers/steering/types.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import { urlPathOf } from '../../runtime/http-files/folder.ts'
import { MAX_FILES } from '../ask.ts'
import type { Steered } from '../steerer.ts'
import type { WallSecond } from './wall-second.ts'

/** What needs no escape in a URL's path, nor in JSON. */
const PLAIN_PATH = /^[\w.~!*()/-]*$/

/** Parts of an answer's JSON that are the same for every answer that names the appliance. */
interface ApplianceText {
  /** The world's version of its URL and site that this is known to be of. */
  version: number
  readonly url: string
  readonly site: number
  readonly base: string
  /** `{"url":"https://host` */
  readonly head: string
  /** By tier: `","appliance":"ns/name","site":"ns/site","tier":"Site"}` */
  readonly tails: readonly string[]
  /** What was asked for last: the beginning of the entry up to the path in the catalog, and its end for the tier. One look less. */
  catalog: string
  start: string
  tier: number
  tail: string
}

/** Writes answers as JSON, in ASCII. What is the same from one answer to the next is kept as text. */
export class AnswerText {
  readonly #world: World
  readonly #wall: WallSecond
  readonly #appliances: (ApplianceText | undefined)[] = []
  #expiresSecond = 0
  readonly #expires = new Map<number, string>()

  constructor(world: World, wall: WallSecond) {
    this.#world = world
    this.#wall = wall
  }

  /** The body of an answer, without the end of its object: an explanation may follow. */
  open(steered: Steered): string {
    const { answer, catalog, request } = steered
    const path = encoded(steered.path)
    const many = request.files.length > 1
    let text = '{"urls":['
    for (let i = 0; i < answer.count; i++) {
      const ordinal = answer.appliances[i]!
      const tier = answer.tiers[i]!
      if (i > 0) text += ','
      if (ordinal < 0) text += `${this.#fallback(steered, -1 - ordinal, many)}${TIERS[tier]}"}`
      else {
        const { start, tail, base } = this.#appliance(ordinal, catalog, tier)
        const urls = many ? `","urls":${this.#urls(steered, (file) => `${base}/${catalog}/${file}`)}` : ''
        text += many ? `${start}${path}${urls}${tail.slice(1)}` : start + path + tail
      }
    }
    return text + this.#end(answer)
  }

  /** The end of an answer, after its URLs. */
  #end({ ttlSeconds, miss }: Steered['answer']): string {
    const { second } = this.#wall
    if (second !== this.#expiresSecond) {
      this.#expiresSecond = second
      this.#expires.clear()
    }
    let text = this.#expires.get(ttlSeconds)
    if (text === undefined) {
      const at = new Date((second + ttlSeconds) * 1000).toISOString().slice(0, 19)
      text = flat(`],"expiresAt":"${at}Z","ttlSeconds":${ttlSeconds},"miss":"`)
      this.#expires.set(ttlSeconds, text)
    }
    return `${text}${miss}"`
  }

  /** The URL of the file that is asked for at a place of the answer. */
  url(steered: Steered, position: number): string {
    const { answer, catalog } = steered
    const ordinal = answer.appliances[position]!
    const path = encoded(steered.path)
    if (ordinal < 0) return fallbackUrl(this.#fallbackTemplate(steered, -1 - ordinal), catalog, path)
    return `${baseOf(this.#world.urls[ordinal]!)}/${catalog}/${path}`
  }

  #fallback(steered: Steered, i: number, many: boolean): string {
    const template = this.#fallbackTemplate(steered, i)
    const { catalog, path } = steered
    const url = quoted(fallbackUrl(template, catalog, encoded(path)))
    const urls = many ? `,"urls":${this.#urls(steered, (file) => fallbackUrl(template, catalog, file))}` : ''
    return `{"url":${url}${urls},"tier":"`
  }

  #fallbackTemplate({ answer }: Steered, i: number): string {
    return this.#world.policies[answer.policy]!.fallbacks[i]!.url
  }

  #urls({ request, index }: Steered, url: (path: string) => string): string {
    const urls: string[] = []
    for (let i = 0; i < Math.min(request.files.length, MAX_FILES); i++)
      urls.push(url(encoded(index.path(request.files[i]!) ?? '')))
    return quoted(urls)
  }

  #appliance(ordinal: number, catalog: string, tier: number): ApplianceText {
    const known = this.#appliances[ordinal]
    const text = known && known.version === this.#world.urlsVersion ? known : this.#checked(ordinal, known)
    if (text.catalog !== catalog) {
      text.catalog = catalog
      text.start = flat(`${text.head}/${catalog}/`)
    }
    if (text.tier !== tier) {
      text.tier = tier
      text.tail = text.tails[tier]!
    }
    return text
  }

  #checked(ordinal: number, known: ApplianceText | undefined): ApplianceText {
    const { urls, urlsVersion, applianceSite } = this.#world
    const url = urls[ordinal]!
    const site = applianceSite[ordinal]!
    const text = known && known.url === url && known.site === site ? known : this.#make(ordinal, url, site)
    text.version = urlsVersion
    return text
  }

  #make(ordinal: number, url: string, site: number): ApplianceText {
    const { applianceKeys, siteKeys } = this.#world
    const base = baseOf(url)
    const where = `","appliance":${quoted(applianceKeys[ordinal]!)},"site":${quoted(siteKeys[site] ?? '')},"tier":"`
    const made = {
      ...{ version: -1, url, site, base, catalog: '', start: '', tier: -1, tail: '' },
      head: `{"url":${quoted(base).slice(0, -1)}`,
      tails: TIERS.map((tier) => flat(`${where}${tier}"}`)),
    }
    this.#appliances[ordinal] = made
    return made
  }
}

/** As JSON in ASCII. */
const quoted = (value: unknown) =>
  JSON.stringify(value).replace(/[^ -~]/g, (code) => `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The same text in one piece: one that was put together is kept in parts, and gone through part by part whenever it is written. */
const flat = (text: string) => Buffer.from(text, 'latin1').toString('latin1')

const baseOf = (url: string) => (url.endsWith('/') ? url.replace(/\/+$/, '') : url)

const encoded = (path: string) => (PLAIN_PATH.test(path) ? path : urlPathOf(path))

/** A fallback's URL for a file: `{namespace}`, `{catalog}` and `{path}` stand for it, or the whole follows, as at an appliance. */
function fallbackUrl(template: string, catalog: string, path: string): string {
  const [namespace = '', name = ''] = catalog.split('/')
  if (!template.includes('{path}')) return `${baseOf(template)}/${catalog}/${path}`
  return template.replaceAll('{namespace}', namespace).replaceAll('{catalog}', name).replaceAll('{path}', path)
}
