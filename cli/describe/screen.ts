import type { Condition, JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { humanDuration } from '../duration.ts'
import { byTime, type EventObject, lastSeen } from '../events/event.ts'
import { visible } from '../output/escape.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { sprint } from '../output/table.ts'

/** Builds a description: aligned `Key:  value` lines, sections and small tables, indented by level. */
export class Screen {
  readonly #writer = new TabWriter({ minWidth: 0, padding: 2, remember: false })
  readonly nowMs: number

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  /** A line; nothing where the value is undefined. Further lines of the value stand below its first. */
  field(key: string, value: string | number | boolean | undefined, level = 0): void {
    if (value === undefined) return
    const [first = '', ...rest] = visible(String(value)).split('\n')
    this.#writer.line([`${'  '.repeat(level)}${key}:`, first])
    for (const line of rest) this.#writer.line(['  '.repeat(level), line])
  }

  section(title: string, level = 0): void {
    this.#writer.line([`${'  '.repeat(level)}${title}:`])
  }

  text(line: string, level = 0): void {
    for (const part of visible(line).split('\n')) this.#writer.line([`${'  '.repeat(level)}${part}`])
  }

  table(headers: readonly string[], rows: readonly (readonly string[])[], level = 1): void {
    const indent = '  '.repeat(level)
    for (const [first = '', ...rest] of [headers, ...rows])
      this.#writer.line([indent + clean(first), ...rest.map(clean)])
  }

  toString(): string {
    return this.#writer.flush().replace(/ +$/gm, '')
  }

  /** What every description begins with. */
  head({ metadata }: KubeObject): void {
    this.field('Name', metadata.name)
    if (metadata.namespace) this.field('Namespace', metadata.namespace)
    this.field('Labels', pairs(metadata.labels, '='))
    this.field('Annotations', pairs(metadata.annotations, ': '))
    if (metadata.creationTimestamp)
      this.field('Created', `${metadata.creationTimestamp} (${this.since(metadata.creationTimestamp)} ago)`)
    if (metadata.deletionTimestamp) {
      const held = metadata.finalizers?.length ? `, held by ${metadata.finalizers.join(', ')}` : ''
      this.field('Deleting', `since ${this.since(metadata.deletionTimestamp)}${held}`)
    }
  }

  conditions(conditions: readonly Condition[] | undefined): void {
    if (!conditions?.length) {
      this.field('Conditions', '<none>')
      return
    }
    this.section('Conditions')
    const rows = conditions.map(({ type, status, lastTransitionTime, reason, message }) => [
      type,
      status,
      this.since(lastTransitionTime),
      reason,
      message,
    ])
    this.table(['TYPE', 'STATUS', 'SINCE', 'REASON', 'MESSAGE'], rows)
  }

  events(events: readonly EventObject[] | undefined): void {
    if (!events) return
    if (events.length === 0) {
      this.field('Events', '<none>')
      return
    }
    this.section('Events')
    const rows = byTime(events).map((event) => {
      const source = event.source?.component || event.reportingComponent || ''
      return [event.type ?? '', event.reason ?? '', lastSeen(event, this.nowMs), source, (event.message ?? '').trim()]
    })
    this.table(['TYPE', 'REASON', 'AGE', 'FROM', 'MESSAGE'], rows)
  }

  since(timestamp: string | undefined): string {
    return timestamp ? humanDuration(this.nowMs - Date.parse(timestamp)) : '<unknown>'
  }

  /** Any JSON, key by key, titles made of the keys. */
  tree(value: JsonObject, level: number, skip: ReadonlySet<string> = new Set(), path = ''): void {
    for (const key of Object.keys(value).sort()) {
      const at = `${path}.${key}`
      const item = value[key]
      if (skip.has(at) || item === undefined) continue
      if (Array.isArray(item)) {
        this.section(titleOf(key), level)
        for (const each of item as readonly JsonValue[]) {
          if (isMap(each)) this.tree(each, level + 1, skip, at)
          else this.text(sprint(each), level + 1)
        }
      } else if (isMap(item)) {
        this.section(titleOf(key), level)
        this.tree(item, level + 1, skip, at)
      } else this.field(titleOf(key), sprint(item), level)
    }
  }
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const clean = (cell: string) => visible(cell).replaceAll(/[\n\t]+/g, ' ')

function pairs(map: Readonly<Record<string, string>> | undefined, separator: string): string {
  const lines = Object.entries(map ?? {}).map(
    ([key, value]) => `${key}${separator}${value.length > 200 ? `${value.slice(0, 197)}...` : value}`,
  )
  return lines.length === 0 ? '<none>' : lines.sort().join('\n')
}

const ACRONYMS = /^(api|url|uid|guid)$/i

/** `resourceVersion` → `Resource Version`; what is no plain word stays. */
export function titleOf(key: string): string {
  if (!/^[\p{L}-]+$/u.test(key)) return key
  const words = key.split(/(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u)
  return words
    .map((word) => (ACRONYMS.test(word) ? word.toUpperCase() : word.slice(0, 1).toUpperCase() + word.slice(1)))
    .join(' ')
}
