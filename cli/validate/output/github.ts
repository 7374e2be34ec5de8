import { isAbsolute, relative } from 'node:path'
import type { Problem } from '../../manifests/problem.ts'
import { placeText } from '../../manifests/source-text.ts'
import { type Report, severityOf } from '../report.ts'
import { isOnDisk, regionOf, sentence } from './positions.ts'

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const

/** Workflow commands of GitHub Actions: an annotation for each problem. `root`: the checkout; `cwd`: what names are relative to. */
export function* printGithub({ problems }: Report, cwd: string, root: string): Generator<string> {
  for (const problem of problems) yield annotation(problem, cwd, root)
}

function annotation(problem: Problem<string>, cwd: string, root: string): string {
  const { file, code, related } = problem
  const region = regionOf(problem)
  const known = isOnDisk(file)
  const place = region ? `${region.line}:${region.column}` : ''
  const properties = {
    ...(known ? { file: fromRoot(file, cwd, root) } : {}),
    ...(known && region
      ? { line: region.line, endLine: region.line, col: region.column, endColumn: region.endColumn }
      : {}),
    title: code,
  }
  const text = [
    known ? sentence(problem) : `${file}${place === '' ? '' : `:${place}`}: ${sentence(problem)}`,
    ...(related ? [`${related.message}: ${placeText(related.place)}`] : []),
  ].join('\n')
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::${COMMANDS[severityOf(problem)]} ${list.join(',')}::${escapeData(text)}\n`
}

/** Annotations only show where the file is named from the checkout on. */
function fromRoot(file: string, cwd: string, root: string): string {
  const path = isAbsolute(file) ? file : `${cwd}/${file}`
  const inside = relative(root, path)
  return inside.startsWith('..') ? file : inside.replaceAll('\\', '/')
}

const escapeData = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string) => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
