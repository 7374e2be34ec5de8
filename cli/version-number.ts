import { readFileSync } from 'node:fs'

/** The version in package.json, which is one folder up in a checkout and two in a published package. */
export function programVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (name === 'weir' && version) return version
    } catch {
      // Not here; the next folder up, then.
    }
  }
  return 'unknown'
}
