/**
 * `npm run generate` writes everything that follows from crds/*.yaml and charts/weir/values.yaml; with `-- --check` it writes nothing and fails, naming the files,
 * when what is there differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { generateFiles } from './generate/files.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const files = generateFiles(root)
const stale: string[] = []

for (const [file, text] of files) {
  const path = join(root, file)
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
  stale.push(file)
  if (check) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
for (const folder of ['docs/reference', 'charts/weir/files/crds', 'crds/schemas']) {
  const entries = existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    : []
  for (const entry of entries) {
    const file = relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/')
    if (entry.isDirectory() || files.has(file)) continue
    stale.push(file)
    if (!check) rmSync(join(root, file))
  }
}

if (check && stale.length > 0) {
  console.error(`Out of date, run \`npm run generate\`:\n${stale.map((file) => `  ${file}`).join('\n')}`)
  process.exitCode = 1
} else {
  for (const file of stale) console.error(`wrote ${file}`)
}
