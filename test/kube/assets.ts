import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Whether `folder` holds an executable of that name. */
function has(folder: string, program: string): boolean {
  try {
    accessSync(join(folder, program), constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The folder of kube-apiserver and etcd: KUBEBUILDER_ASSETS, or where envtest, or this project, keeps what it has built. Undefined where there
 * is none. Throws where KUBEBUILDER_ASSETS names a folder without them: that is a mistake, not an absence.
 */
export function findAssets(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env.KUBEBUILDER_ASSETS
  if (given) {
    for (const program of ['kube-apiserver', 'etcd']) {
      if (!has(given, program)) throw new Error(`KUBEBUILDER_ASSETS=${given} has no ${program}`)
    }
    return given
  }
  const data = env.XDG_DATA_HOME || join(homedir(), '.local/share')
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const candidates = [
    '/usr/local/kubebuilder/bin',
    ...newestFirst(join(data, 'kubebuilder-envtest/k8s')),
    ...newestFirst(join(cache, 'weir-kube')),
  ]
  return candidates.find((folder) => has(folder, 'kube-apiserver') && has(folder, 'etcd'))
}

function newestFirst(folder: string): string[] {
  try {
    const folders = readdirSync(folder).map((name) => join(folder, name))
    return folders.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  } catch {
    return []
  }
}

/** A program beside the assets, or on the PATH; undefined where there is none. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [env.KUBEBUILDER_ASSETS, ...(env.PATH ?? '').split(delimiter), findAssets(env)]
  const folder = folders.find((candidate) => candidate && has(candidate, name))
  return folder && join(folder, name)
}
