import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

/** Metrics that dashboards and alert rules below a folder ask for, each with where: a panel's title or an alert's name. */
export function metricsNamedIn(folder: string): Map<string, string> {
  const named = new Map<string, string>()
  const add = (expr: string, where: string) => {
    for (const name of metricsOf(expr)) named.set(name, where)
  }
  for (const file of readdirSync(join(folder, 'dashboards'))) {
    const { panels } = JSON.parse(readFileSync(join(folder, 'dashboards', file), 'utf8')) as Dashboard
    for (const { title, targets = [] } of panels) for (const { expr } of targets) add(expr, `panel "${title}"`)
  }
  for (const file of readdirSync(join(folder, 'alerts'))) {
    const { groups } = parse(readFileSync(join(folder, 'alerts', file), 'utf8')) as Rules
    for (const { rules } of groups) for (const { alert, expr } of rules) add(expr, `alert ${alert}`)
  }
  return named
}

/** What is left of a PromQL expression without labels, strings, ranges, groupings and functions. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/"[^"]*"/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const words = bare.matchAll(/\b([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)
  const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'ignoring'])
  return [...words].map(([, word]) => word!).filter((word) => !keywords.has(word))
}
