import type { ManifestDocument } from './document.ts'
import { otherReading } from './plain/scalars.ts'
import type { Problem } from './problem.ts'
import type { SourceText } from './source-text.ts'

/** What other programs that read manifests make something else of. */
export type LintCode = 'ambiguous-text'

/** Characters that YAML forbids everywhere, and that kubectl refuses: all of C0 and C1 but tab, line ends and NEL. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/

/** The first character that may not be in YAML, if there is one. */
export function forbiddenCharacter(source: SourceText): Problem[] {
  const start = source.text.search(FORBIDDEN)
  if (start < 0) return []
  const code = source.text.charCodeAt(start).toString(16).toUpperCase().padStart(4, '0')
  const message = `the control character U+${code} may not be in YAML; in double quotes, write \\u${code.toLowerCase()}`
  return [{ code: 'syntax', file: source.name, message, at: { source, start, end: start + 1 } }]
}

/** Texts without quotes that are texts to us, as in YAML 1.2, and something else to kubectl, Argo CD, Flux and Helm. */
export function ambiguousTexts({ source, ambiguous }: ManifestDocument): Problem<LintCode>[] {
  return ambiguous.map(({ start, end }) => {
    const text = source.text.slice(start, end)
    return {
      code: 'ambiguous-text',
      severity: 'warning',
      file: source.name,
      message: `${text} is a text here, but kubectl, Argo CD and Flux read ${otherReading(text)}: write it in quotes`,
      at: { source, start, end },
      suggestion: `"${text}"`,
    }
  })
}
