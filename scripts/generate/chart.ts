import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, isMap, isNode, isScalar, parseDocument, type YAMLMap } from 'yaml'

/** What the chart takes from elsewhere, and its page: path from the root → text. */
export function generateChart(root: string): [string, string][] {
  const definitions = readdirSync(join(root, 'crds')).filter((file) => file.endsWith('.yaml'))
  return [
    ...definitions.map((file): [string, string] => [
      `charts/weir/files/crds/${file}`,
      readFileSync(join(root, 'crds', file), 'utf8'),
    ]),
    ['docs/chart.md', chartPage(readFileSync(join(root, 'charts/weir/values.yaml'), 'utf8'))],
  ]
}

export interface ChartValue {
  /** `gateway.service.port` */
  readonly path: string
  /** As JSON. */
  readonly default: string
  readonly description: string
}

/** Every value with a comment `# -- …` before it, in order. Throws for a value without one: whoever sets it must know what it does. */
export function chartValues(text: string): ChartValue[] {
  const document = parseDocument(text)
  if (document.errors[0]) throw document.errors[0]
  return valuesOf(document, document.contents as YAMLMap, '')
}

function valuesOf(document: Document, map: YAMLMap, parent: string): ChartValue[] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair
    if (!isScalar(key)) throw new TypeError(`values.yaml: ${parent} has a key that is no text`)
    const path = parent === '' ? String(key.value) : `${parent}.${key.value}`
    // The comment before a map's first key is the map's.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? ''
    const description = /(?:^|\n) -- ([\s\S]*)$/.exec(comment)?.[1]?.replace(/\s*\n\s*/g, ' ')
    if (description === undefined && isMap(value)) return valuesOf(document, value, path)
    if (description === undefined) throw new Error(`values.yaml: ${path} has no comment "# -- …"`)
    return [{ path, default: JSON.stringify(isNode(value) ? value.toJS(document) : value), description }]
  })
}

function chartPage(text: string): string {
  const rows = chartValues(text).map(
    (value) =>
      `| \`${value.path}\` | \`${value.default.replaceAll('|', '\\|')}\` | ${value.description.replaceAll('|', '\\|')} |`,
  )
  return `# Values of the chart

Generated from the comments in [charts/weir/values.yaml](../charts/weir/values.yaml) by \`npm run generate\`. How to install and run it:
[kubernetes.md](kubernetes.md). What is not in this table is refused.

| value | default | what it does |
|---|---|---|
${rows.join('\n')}
`
}
