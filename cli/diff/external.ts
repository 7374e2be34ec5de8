import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { printYaml } from '../output/yaml.ts'
import { type Entry, fileLabel, type Report } from './report.ts'

/**
 * The program, with its arguments, that compares: the flag's, else `$KUBECTL_EXTERNAL_DIFF`'s; undefined where neither says. As kubectl
 * reads it: words between blanks, of which those that are no plain flags are left out. No shell sees it.
 */
export function externalDiff(io: Pick<Io, 'env'>, flag: string | undefined): readonly string[] | undefined {
  const text = flag ?? io.env.KUBECTL_EXTERNAL_DIFF
  if (flag === '') throw usageError('--external-diff is a program, such as "diff -u -N"')
  const [program, ...words] = (text ?? '').split(' ').filter((word) => word !== '')
  if (program === undefined) return undefined
  return [program, ...words.filter((word) => /^[a-zA-Z0-9-=]+$/.test(word))]
}

/**
 * Has another program compare two folders, `LIVE-…` and `MERGED-…`, with a file for each object that differs; values of Secrets are masked
 * there too. What it prints goes to stdout as it is. Throws a usage error where it cannot be run, or fails (above 1, as diff does).
 */
export async function runExternal(io: Io, [program, ...args]: readonly string[], { entries }: Report): Promise<void> {
  if (entries.length === 0) return
  const [from, to] = ['LIVE-', 'MERGED-'].map((prefix) => mkdtempSync(join(tmpdir(), prefix)))
  try {
    for (const entry of entries) {
      const name = fileLabel(entry).replace(/[/\\:]/g, '_')
      write(join(from!, name), entry.before)
      write(join(to!, name), entry.after)
    }
    await run(io, program!, [...args, from!, to!])
  } finally {
    for (const folder of [from, to]) rmSync(folder!, { recursive: true, force: true })
  }
}

/** What is not there has no file. */
function write(path: string, object: Entry['before']): void {
  if (object) writeFileSync(path, printYaml(object), { mode: 0o600 })
}

async function run(io: Io, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    cwd: io.cwd,
    env: io.env as NodeJS.ProcessEnv,
    stdio: ['inherit', 'pipe', 'pipe'],
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => io.err(text))
  // Rejects where the program cannot be started; looked at once all output is there.
  const ended = once(child, 'close') as Promise<[number | null]>
  ended.catch(() => {})
  child.stdout.setEncoding('utf8')
  for await (const text of child.stdout) await io.out(text as string)
  const [code] = await ended.catch((error: Error) => {
    throw usageError(`cannot run ${program}: ${error.message}`)
  })
  if (code === null || code > 1) throw usageError(`${program} ended with ${code ?? 'a signal'}`)
}
