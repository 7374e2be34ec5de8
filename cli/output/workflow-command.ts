import { isAbsolute, relative } from 'node:path'
import type { Io } from '../io.ts'

export type Level = 'notice' | 'warning' | 'error'

/**
 * A workflow command of GitHub Actions: a note with these properties (`file`, `line`, `col`, `title` …), without a line end.
 * Source: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
 */
export function workflowCommand(
  level: Level,
  properties: Readonly<Record<string, string | number | undefined>>,
  text: string,
): string {
  const list = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::${level} ${list.join(',')}::${escapeData(text)}`
}

/** A file as annotations have to name it, which only show from the checkout on. What came through a pipe is in no checkout: undefined. */
export function checkoutFile(file: string, { cwd, env }: Pick<Io, 'cwd' | 'env'>): string | undefined {
  if (file === '<stdin>') return undefined
  const inside = relative(env.GITHUB_WORKSPACE ?? cwd, isAbsolute(file) ? file : `${cwd}/${file}`)
  return inside.startsWith('..') ? file : inside.replaceAll('\\', '/')
}

const escapeData = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string) => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
