import { TIERS } from '../../reconcilers/steering/types.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import { urlPathOf } from '../../runtime/http-files/folder.ts'
import { MAX_FILES } from '../ask.ts'
import type { Steered } from '../steerer.ts'

/** What needs no escape in a URL's path, nor in JSON. */
const PLAIN_PATH = /^[\w.~!*()/-]*$/

/** Parts of an answer's JSON that are the same for every answer that names the appliance. */
interface ApplianceText {
  readonly url: string
  readonly site: number
  /** `{"url":"https://host` */
  readonly head: string
  /** `","appliance":"ns/name","site":"ns/site","tier":"` */
  readonly tail: string
  readonly base: string
}

/** Writes answers as JSON. What is the same from one answer to the next is kept as text. */
export class AnswerText {
  readonly #world: World
  readonly #now: () => number
  readonly #appliances: (ApplianceText | undefined)[] = []
  readonly #tiers = TIERS.map((tier) => `${tier}"`)
  #expiresSecond = 0
  readonly #expires = new Map<number, string>()

  /** `now`: ms since 1970. */
  constructor(world: World, now: () => number) {
    this.#world = world
    this.#now = now
  }

  /** The body of an answer, without the end of its object: an explanation may follow. */
  open(steered: Steered): string {
    const { answer, catalog, request } = steered
    const below = `/${catalog}/`
    const path = encoded(steered.path)
    const many = request.files.length > 1
    let text = '{"urls":['
    for (let i = 0; i < answer.count; i++) {
      const ordinal = answer.appliances[i]!
      if (i > 0) text += ','
      if (ordinal < 0) text += this.#fallback(steered, -1 - ordinal, many)
      else {
        const { head, tail, base } = this.#appliance(ordinal)
        text += head + below + path
        if (many) text += `","urls":${this.#urls(steered, (file) => `${base}${below}${file}`)}${tail.slice(1)}`
        else text += tail
      }
      text += `${this.#tiers[answer.tiers[i]!]!}}`
    }
    return `${text}],"expiresAt":"${this.#expiresAt(answer.ttlSeconds)}","ttlSeconds":${answer.ttlSeconds},"miss":"${answer.miss}"`
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
    const url = JSON.stringify(fallbackUrl(template, catalog, encoded(path)))
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
    return JSON.stringify(urls)
  }

  #appliance(ordinal: number): ApplianceText {
    const { urls, applianceKeys, applianceSite, siteKeys } = this.#world
    const known = this.#appliances[ordinal]
    const url = urls[ordinal]!
    const site = applianceSite[ordinal]!
    if (known && known.url === url && known.site === site) return known
    const base = baseOf(url)
    const quoted = (text: string) => JSON.stringify(text)
    const made = {
      url,
      site,
      base,
      head: `{"url":${quoted(base).slice(0, -1)}`,
      tail: `","appliance":${quoted(applianceKeys[ordinal]!)},"site":${quoted(siteKeys[site] ?? '')},"tier":"`,
    }
    this.#appliances[ordinal] = made
    return made
  }

  #expiresAt(ttlSeconds: number): string {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#expiresSecond) {
      this.#expiresSecond = second
      this.#expires.clear()
    }
    let text = this.#expires.get(ttlSeconds)
    if (text === undefined) {
      text = `${new Date((second + ttlSeconds) * 1000).toISOString().slice(0, 19)}Z`
      this.#expires.set(ttlSeconds, text)
    }
    return text
  }
}

const baseOf = (url: string) => (url.endsWith('/') ? url.replace(/\/+$/, '') : url)

const encoded = (path: string) => (PLAIN_PATH.test(path) ? path : urlPathOf(path))

/** A fallback's URL for a file: `{namespace}`, `{catalog}` and `{path}` stand for it, or the whole follows, as at an appliance. */
function fallbackUrl(template: string, catalog: string, path: string): string {
  const [namespace = '', name = ''] = catalog.split('/')
  if (!template.includes('{path}')) return `${baseOf(template)}/${catalog}/${path}`
  return template.replaceAll('{namespace}', namespace).replaceAll('{catalog}', name).replaceAll('{path}', path)
}
