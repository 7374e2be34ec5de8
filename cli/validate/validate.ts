import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { checkManifests } from '../manifests/check.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { manifestError } from '../manifests/problem.ts'

interface ValidateFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly namespace: string
}

/** `weir validate`: everything that can be known to be wrong without a server. */
export async function runValidate(io: Io, words: readonly string[], flags: ValidateFlags): Promise<ExitCode> {
  const files = [...(flags.filename ?? []), ...words]
  if (files.length === 0) throw usageError('must specify a file with -f')
  const { manifests, problems } = await loadManifests({
    files,
    recursive: flags.recursive ?? false,
    cwd: io.cwd,
    stdin: io.stdin,
  })
  const found = [
    ...problems,
    ...(await checkManifests(manifests, { namespace: flags.namespace, namespaceGiven: false })),
  ]
  if (found.length > 0) throw manifestError(found)
  io.err(manifests.length === 1 ? '1 object is valid\n' : `${manifests.length} objects are valid\n`)
  return ExitCode.ok
}
