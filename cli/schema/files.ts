import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KindInfo } from '../../crds/kind.ts'
import { packageFolder } from '../package-folder.ts'

/** Where a kind's schema is, from the folder of schemas: the layout in which editors and kubeconform look for custom resources. */
export const schemaPath = ({ group, kind, version }: KindInfo) => `${group}/${kind.toLowerCase()}_${version}.json`

/** The schema of whatever of Weir's kinds a document is of. */
export const COMBINED = 'weir.json'

/** The folder of schemas that came with this installation. */
export const schemaFolder = () => packageFolder('crds/schemas')

/** All of them: path in the folder → text. */
export async function schemaFiles(): Promise<ReadonlyMap<string, string>> {
  const folder = schemaFolder()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.replaceAll('\\', '/'), await readFile(join(folder, file), 'utf8')] as const),
    ),
  )
}
