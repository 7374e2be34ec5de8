import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KindInfo } from '../../crds/kind.ts'
import { schemaFolder, schemaPath } from '../schema/files.ts'

/** Where the folder of schemas is looked for beside a manifest: as `weir init` and `weir schema` write it, or a project's installation. */
const NEARBY = ['schemas', join('node_modules', 'weir', 'crds', 'schemas')]

/**
 * What `# yaml-language-server: $schema=` should name in a file in `folder`: the schema below `base`, a URL or a folder, when one is given; else
 * the nearest copy in this folder and those above it, by its path from here; else the one that came with this installation, by its file URL.
 */
export function schemaUrl(kind: KindInfo, folder: string, base: string | undefined, cwd: string): string {
  const file = schemaPath(kind)
  if (base !== undefined) {
    if (/^[a-z][a-z+.-]+:\/\//i.test(base)) return `${base.replace(/\/$/, '')}/${file}`
    const path = join(resolve(cwd, base), file)
    return isAbsolute(base) ? path : slashed(relative(folder, path))
  }
  for (let at = folder; ; at = dirname(at)) {
    const found = NEARBY.map((near) => join(at, near, file)).find((path) => existsSync(path))
    if (found) return slashed(relative(folder, found))
    if (dirname(at) === at) break
  }
  const own = schemaFolder()
  const path = join(own, file)
  // In Weir's own checkout.
  return folder.startsWith(dirname(dirname(own)) + sep) ? slashed(relative(folder, path)) : pathToFileURL(path).href
}

/** A path as URLs have it, which does not look like a host's name. */
function slashed(path: string): string {
  const text = path.split(sep).join('/')
  return text.startsWith('.') ? text : `./${text}`
}
