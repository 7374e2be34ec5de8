import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Benchmark, Figure, Report } from './benchmark.ts'
import { benchmarks } from './benchmarks.ts'

// npm run bench [-- NAME…] [-- --list]
// Ends with 1 if a figure misses its target.

const { values, positionals } = parseArgs({ options: { list: { type: 'boolean' } }, allowPositionals: true })

if (values.list) {
  for (const { name, about, byDefault } of benchmarks)
    console.log(`${name.padEnd(20)} ${about}${byDefault ? '' : ' (if named)'}`)
} else {
  const unknown = positionals.filter((name) => !benchmarks.some((b) => b.name === name))
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')} (there are ${benchmarks.map((b) => b.name).join(', ')})`)
    process.exitCode = 2
  } else {
    await runAll(benchmarks.filter((b) => (positionals.length > 0 ? positionals.includes(b.name) : b.byDefault)))
  }
}

async function runAll(chosen: readonly Benchmark[]): Promise<void> {
  console.log(`Node ${process.version} on ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}`)
  const figures: Figure[] = []
  for (const { name, about, run } of chosen) {
    console.log(`\n== ${name}: ${about}`)
    await run(consoleReport(figures))
  }
  const missed = figures.filter((figure) => !isMet(figure))
  if (missed.length > 0) {
    console.log(`\nTargets missed: ${missed.map((f) => f.name).join('; ')}`)
    process.exitCode = 1
  }
}

function consoleReport(figures: Figure[]): Report {
  return {
    note: (text) => console.log(text),
    table: (rows) => {
      const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
      for (const row of rows) {
        console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
      }
    },
    figure: (figure) => {
      figures.push(figure)
      const { name, value, unit, target } = figure
      const wanted = !target
        ? ''
        : 'atLeast' in target
          ? ` (target ≥ ${target.atLeast})`
          : ` (target ≤ ${target.atMost})`
      const verdict = !target ? ' ' : isMet(figure) ? '✓' : '✗'
      console.log(`${verdict} ${name}: ${format(value)} ${unit}${wanted}`)
    },
  }
}

function isMet({ value, target }: Figure): boolean {
  if (!target) return true
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}

/** Three significant digits: no benchmark here repeats better than that. */
function format(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}
