import { renderProblem } from '../../manifests/problem.ts'
import { visible } from '../../output/escape.ts'
import type { Report } from '../report.ts'

/** Every problem with its place, its line and a caret; what was only not checked is left to the summary. */
export function* printText({ problems }: Report): Generator<string> {
  for (const problem of problems) if (problem.severity !== 'note') yield renderProblem(problem)
}

/** For stderr: how many objects, whether they are valid, and what was not checked. */
export function summary({ objects, files, counts, kustomizations, rulesLeftOut }: Report): string {
  const { error, warning } = counts
  const found = [...(error > 0 ? [count(error, 'error')] : []), ...(warning > 0 ? [count(warning, 'warning')] : [])]
  const unchecked = objects.filter(({ checked }) => !checked)
  const good = objects.length - unchecked.length
  const lines = [
    error > 0
      ? `${found.join(' and ')} in ${count(objects.length, 'object')} of ${count(files.length, 'file')}`
      : `${count(good, 'object')} ${good === 1 ? 'is' : 'are'} valid${found.length > 0 ? `, with ${found[0]}` : ''}`,
  ]
  if (error === 0 && unchecked.length > 0) {
    const kinds = new Map<string, number>()
    for (const { apiVersion, kind } of unchecked)
      kinds.set(`${apiVersion} ${kind}`, (kinds.get(`${apiVersion} ${kind}`) ?? 0) + 1)
    const list = [...kinds].map(([kind, times]) => (times > 1 ? `${times} × ${visible(kind)}` : visible(kind)))
    lines.push(`not checked, for want of a definition (see --crds): ${list.join(', ')}`)
  }
  if (error === 0 && kustomizations.length > 0) {
    const more = kustomizations.length > 1 ? ` and ${kustomizations.length - 1} more` : ''
    lines.push(`not checked: ${visible(kustomizations[0]!)}${more}, kustomizations; -k builds one`)
  }
  if (rulesLeftOut > 0) {
    lines.push(`validation rules that look at what is wrong were not run: of ${count(rulesLeftOut, 'object')}`)
  }
  return `${lines.join('\n')}\n`
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
