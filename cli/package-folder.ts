import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A folder of the package, such as `examples/quickstart`: one level up in a checkout, two in a published package. */
export function packageFolder(path: string): string {
  const found = ['../', '../../']
    .map((up) => fileURLToPath(new URL(up + path, import.meta.url)))
    .find((folder) => existsSync(folder))
  if (found === undefined) throw new Error(`this installation of weir has no ${path}`)
  return found
}
