import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Lays the package out below a folder as `npm install` does, and gives the command that its user runs. */
export function installPublished(folder: string): string {
  const home = join(folder, 'node_modules', 'weir')
  mkdirSync(join(home, 'cli'), { recursive: true })
  for (const file of ['package.json', 'cli/bin.js']) cpSync(join(root, file), join(home, file))
  execFileSync(process.execPath, [join(root, 'scripts', 'bundle.ts'), join(home, 'dist', 'program')], {
    stdio: 'ignore',
  })
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin)
  symlinkSync('../weir/cli/bin.js', join(bin, 'weir'))
  return join(bin, 'weir')
}
