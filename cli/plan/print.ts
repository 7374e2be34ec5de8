import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { closest } from '../manifests/suggest.ts'
import { printJson } from '../output/json.ts'
import { printYaml } from '../output/yaml.ts'
import type { PlanDocument } from './document.ts'
import { githubText } from './github.ts'
import { markdownText } from './markdown.ts'
import { planText } from './text.ts'

const FORMATS = ['text', 'json', 'yaml', 'markdown', 'github'] as const
export type PlanFormat = (typeof FORMATS)[number]

/** Reads `-o`. Throws a usage error. */
export function planFormat(output = 'text'): PlanFormat {
  const format = FORMATS.find((known) => known === output)
  if (format) return format
  const like = closest(output, FORMATS)
  throw usageError(
    `-o ${output}: expected ${FORMATS.join(', ')}${like === undefined ? '' : `; did you mean "${like}"?`}`,
  )
}

export async function printPlan(io: Io, document: PlanDocument, format: PlanFormat): Promise<void> {
  switch (format) {
    case 'json':
      return io.out(`${printJson(document)}\n`)
    case 'yaml':
      return io.out(printYaml(document))
    case 'markdown':
      return io.out(markdownText(document))
    case 'github':
      return io.out(githubText(document, io))
    case 'text':
      return io.out(planText(document))
  }
}
