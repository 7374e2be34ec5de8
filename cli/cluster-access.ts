import { type ClusterAccess, loadKubeconfig } from '../runtime/client/kubeconfig.ts'
import { CliError, ExitCode } from './exit.ts'
import type { Io } from './io.ts'

/** The API server of a program that runs in a cluster: `--kubeconfig`, `$KUBECONFIG`, or the pod's service account. Throws a usage error. */
export async function clusterAccess(io: Io, { kubeconfig }: { readonly kubeconfig?: string }): Promise<ClusterAccess> {
  try {
    return await loadKubeconfig({ env: io.env, ...(kubeconfig === undefined ? {} : { path: kubeconfig }) })
  } catch (error) {
    throw new CliError(ExitCode.usage, (error as Error).message, { cause: error })
  }
}
