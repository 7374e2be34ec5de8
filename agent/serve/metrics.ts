/** One number with its name and labels. */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[]
}

/** The Prometheus text format, version 0.0.4. */
export function writeMetrics(samples: readonly Sample[]): string {
  const lines: string[] = []
  for (const { name, help, type, values } of samples) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const [labels, value] of values) lines.push(`${name}${writeLabels(labels)} ${value}`)
  }
  return `${lines.join('\n')}\n`
}

function writeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
