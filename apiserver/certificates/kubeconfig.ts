import { readFile } from 'node:fs/promises'
import type { KeyPair } from '../../runtime/certificates/issue.ts'
import { writeFileAtomic } from './atomic-file.ts'

export interface KubeconfigOptions {
  /** `https://host:port`. */
  readonly server: string
  /** PEM. */
  readonly authority: string
  readonly client: KeyPair
  /** Names the cluster, the user and the context. */
  readonly name?: string
}

/** A kubeconfig (v1) with everything in it: it goes on working wherever it is copied to. */
export function kubeconfig({ server, authority, client, name = 'weir' }: KubeconfigOptions): string {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  // A JSON string is a YAML string.
  const quoted = JSON.stringify(name)
  return `apiVersion: v1
kind: Config
clusters:
- name: ${quoted}
  cluster:
    server: ${JSON.stringify(server)}
    certificate-authority-data: ${base64(authority)}
users:
- name: ${quoted}
  user:
    client-certificate-data: ${base64(client.certificate)}
    client-key-data: ${base64(client.key)}
contexts:
- name: ${quoted}
  context:
    cluster: ${quoted}
    user: ${quoted}
current-context: ${quoted}
preferences: {}
`
}

/** Writes a kubeconfig, readable by its owner alone (0600): whoever reads it is the administrator. Leaves a file that says the same as it is. */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<void> {
  const content = kubeconfig(options)
  const present = await readFile(path, 'utf8').catch(() => undefined)
  if (present !== content) await writeFileAtomic(path, content, 0o600)
}
