import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Command {
  readonly name: string
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Milliseconds. The least is what a command costs; what is above it, what else the machine did. */
export interface Timing {
  readonly name: string
  readonly wall: Spread
  readonly cpu: Spread
}

interface Spread {
  readonly least: number
  readonly median: number
}

/** Bash measures its child: user and system time, to the millisecond. */
const MEASURED = 'TIMEFORMAT="%3R %3U %3S"; time "$@" >/dev/null'

/** Runs commands in turn, so that what else the machine does hits all alike. Throws where one fails. */
export async function timeAlternately(commands: readonly Command[], rounds: number): Promise<Timing[]> {
  const samples = commands.map(() => ({ wall: [] as number[], cpu: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, words, env }] of commands.entries()) {
      const child = spawn('bash', ['-c', MEASURED, 'bash', ...words], { env, stdio: ['ignore', 'ignore', 'pipe'] })
      let stderr = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      const [status] = (await once(child, 'close')) as [number | null]
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
      const [real = 0, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
      samples[index]!.wall.push(real * 1000)
      samples[index]!.cpu.push((user + system) * 1000)
    }
  }
  return commands.map(({ name }, index) => ({
    name,
    wall: spread(samples[index]!.wall),
    cpu: spread(samples[index]!.cpu),
  }))
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { least: sorted[0] ?? Number.NaN, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN }
}
