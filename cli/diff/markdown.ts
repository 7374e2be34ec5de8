import { visible } from '../output/escape.ts'
import { type Entry, objectRef, placeOf, type Report, summaryText } from './report.ts'

/** What a comment on GitHub may have, in characters. */
const LONGEST = 65_536
/** By which a later run finds its comment. */
const MARKER = '<!-- weir diff -->'

/** The report as a comment on a pull request: a section to unfold for each object. Where it is too long, sections lose their diffs, largest first. */
export function markdownText(report: Report): string {
  const { entries, kept } = report
  const head = `${MARKER}\n### weir diff: ${entries.length === 0 ? 'no differences' : summaryText(report)}\n`
  const foot = keptText(kept)
  const room = LONGEST - head.length - foot.length
  const sections = fitted(entries.map(sectionOf), room)
  return `${head}${sections}${foot}`
}

interface Section {
  readonly full: string
  /** Without its diff. */
  readonly short: string
}

function sectionOf(entry: Entry): Section {
  const signs = { create: '🟢 create', update: '🟡 change', prune: '🔴 prune' } as const
  const namespace = entry.namespace === undefined ? '' : ` in ${entry.namespace}`
  const place = placeOf(entry.place)
  const title = `${signs[entry.action]} <code>${html(objectRef(entry))}</code>${html(namespace)}${place === '' ? '' : ` — ${html(place)}`}`
  const body = visible(entry.diff)
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1))
  return {
    full: `\n<details><summary>${title}</summary>\n\n${fence}diff\n${body}${fence}\n\n</details>\n`,
    short: `\n- ${title} (${lineCount(entry.diff)} lines, too long to show here)\n`,
  }
}

function fitted(sections: readonly Section[], room: number): string {
  const texts = sections.map(({ full }) => full)
  let length = texts.reduce((sum, text) => sum + text.length, 0)
  const largest = sections.map((_, index) => index).sort((a, b) => texts[b]!.length - texts[a]!.length)
  for (const index of largest) {
    if (length <= room) return texts.join('')
    const { full, short } = sections[index]!
    if (short.length >= full.length) continue
    texts[index] = short
    length -= full.length - short.length
  }
  if (length <= room) return texts.join('')
  return `${cut(texts, room)}`
}

/** As many as there is room for, and how many there is not. */
function cut(texts: readonly string[], room: number): string {
  const more = (count: number) => `\n… and ${count} more objects\n`
  const reserved = more(texts.length).length
  let used = 0
  const shown = texts.findIndex((text) => {
    used += text.length
    return used > room - reserved
  })
  return texts.slice(0, shown).join('') + more(texts.length - shown)
}

/** Kept orphans beyond this are counted: the comment is about what changes. */
const SHOWN_KEPT = 50

function keptText(kept: Report['kept']): string {
  if (kept.length === 0) return ''
  const lines = kept
    .slice(0, SHOWN_KEPT)
    .map((orphan) => `- <code>${html(objectRef(orphan))}</code>: ${html(orphan.reason)}`)
  const more = kept.length > SHOWN_KEPT ? [`- … and ${kept.length - SHOWN_KEPT} more`] : []
  return `\n<details><summary>${kept.length} in the set but not in the manifests, kept</summary>\n\n${[...lines, ...more].join('\n')}\n\n</details>\n`
}

const longestRun = (text: string) => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
const lineCount = (diff: string) => diff.split('\n').filter((line) => /^[+-]/.test(line)).length

/** Text in HTML, of which Markdown makes nothing else either: no mention of anybody, no link, no markup. */
function html(text: string): string {
  return visible(text).replace(/[&<>"'@#*_`~[\]\\|!]/g, (c) => `&#${c.charCodeAt(0)};`)
}
