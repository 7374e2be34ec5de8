import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { usageError } from '../exit.ts'
import { visible } from '../output/escape.ts'
import { MAX_FILE_BYTES, readAll } from './read-all.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Builds a folder's kustomization with the kustomize, or the kubectl, that is in the PATH; gives the YAML it writes. Throws a usage error when
 * there is neither, and when the build fails.
 */
export async function renderKustomization(
  folder: string,
  cwd: string,
  env: Environment,
  signal?: AbortSignal,
): Promise<Buffer> {
  const program = findProgram(env)
  if (!program) throw usageError('-k needs kustomize or kubectl in the PATH, and there is neither')
  const child = spawn(program.path, [program.verb, folder], {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  // Read below; a program that cannot be started or is aborted fails there.
  closed.catch(() => {})
  const [rendered, errors] = await Promise.all([readAll(child.stdout), readAll(child.stderr)])
  // What is too much to be read is too much to be written.
  child.stdout.destroy()
  const [code] = await closed
  if (code === 0 || rendered.length > MAX_FILE_BYTES) return rendered
  const said = visible(
    errors
      .toString('utf8')
      .trim()
      .replace(/^error: /i, ''),
  )
  throw usageError(`cannot build ${folder}: ${said === '' ? `${program.path} ended with ${code}` : said}`)
}

function findProgram({ PATH = '' }: Environment): { readonly path: string; readonly verb: string } | undefined {
  const folders = PATH.split(delimiter).filter((folder) => folder !== '')
  const suffix = process.platform === 'win32' ? '.exe' : ''
  for (const [name, verb] of [['kustomize', 'build'] as const, ['kubectl', 'kustomize'] as const]) {
    const path = folders.map((folder) => join(folder, name + suffix)).find((candidate) => existsSync(candidate))
    if (path !== undefined) return { path, verb }
  }
  return undefined
}
