import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ExitCode } from '../cli/exit.ts'
import type { Io } from '../cli/io.ts'
import { createProgram } from '../cli/program.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

describe('pages', () => {
  test.each(pages)('%s links only to what is there', (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!)
    const local = targets.filter((target) => !/^[a-z]+:/.test(target))
    expect(local.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
  })

  test.each(pages)('%s names only commands that npm knows', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read(page).matchAll(/npm run (?:-s )?([\w-]+)/g)].map(([, name]) => name!)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

describe('docs/cli.md', () => {
  const io = { columns: () => 100 } as unknown as Io
  const program = createProgram(io, () => {})

  test('has every verb, and no other', () => {
    const headings = [...read('docs/cli.md').matchAll(/^### (.*)$/gm)].flatMap(([, title]) =>
      [...title!.matchAll(/`([\w-]+)/g)].map(([, verb]) => verb!),
    )
    expect(headings.sort()).toEqual(
      program.commands
        .map((command) => command.name())
        .filter((name) => name !== 'help')
        .sort(),
    )
  })

  test('names only flags that there are', () => {
    const flags = new Set(
      program.commands
        .flatMap((command) => [command, ...command.commands])
        .flatMap(({ options }) =>
          options.flatMap(({ long }) => [
            long,
            `--no-${long?.replace(/^--(no-)?/, '')}`,
            `--${long?.replace(/^--(no-)?/, '')}`,
          ]),
        ),
    )
    const named = [...read('docs/cli.md').matchAll(/(?<![\w-])(--[a-z][a-z-]+)/g)].map(([, flag]) => flag!)
    expect(named.filter((flag) => !flags.has(flag) && flag !== '--help')).toEqual([])
  })

  test('has the exit codes that the program has', () => {
    const documented = [...read('docs/cli.md').matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code))
    // 5 and 6 are for plans, which are still to come.
    expect(documented).toEqual(Object.values(ExitCode))
  })
})
