import type { Clock } from '../clock.ts'
import type { Credential, Credentials } from './credentials.ts'

/** `users[].user.exec` of a kubeconfig. */
export interface ExecConfig {
  readonly apiVersion: string
  readonly command: string
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly installHint?: string
  readonly provideClusterInfo?: boolean
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}

/** What a plugin that asks for it (`provideClusterInfo`) is told of the cluster: `spec.cluster` of its ExecCredential. */
export interface ExecCluster {
  readonly server?: string
  readonly 'tls-server-name'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  /** Base64. */
  readonly 'certificate-authority-data'?: string
  readonly 'proxy-url'?: string
  /** The cluster's extension for plugins. */
  readonly config?: unknown
}

interface ExecStatus {
  readonly token?: string
  readonly clientCertificateData?: string
  readonly clientKeyData?: string
  readonly expirationTimestamp?: string
}

/** Renewed this long before it expires, so that a request under way does not carry a dead one. */
const RENEW_EARLY_MS = 10_000

/**
 * Credentials from a client-go credential plugin. The command runs once and again when its answer expires or the server answers 401.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export function execCredentials(
  exec: ExecConfig,
  cluster: ExecCluster,
  clock: Clock,
  base: Credential = {},
): Credentials {
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(exec.apiVersion)) {
    throw new Error(`exec plugin ${exec.command}: apiVersion ${exec.apiVersion} is not supported`)
  }
  let running: Promise<{ credential: Credential; expiresMs: number }> | undefined
  return {
    async get() {
      const known = await running
      if (known && clock.now().getTime() < known.expiresMs) return known.credential
      running = run(exec, cluster).then((status) => ({
        credential: {
          ...base,
          ...(status.token === undefined ? {} : { authorization: `Bearer ${status.token}` }),
          ...(status.clientCertificateData === undefined ? {} : { cert: status.clientCertificateData }),
          ...(status.clientKeyData === undefined ? {} : { key: status.clientKeyData }),
        },
        expiresMs: status.expirationTimestamp
          ? Date.parse(status.expirationTimestamp) - RENEW_EARLY_MS
          : Number.POSITIVE_INFINITY,
      }))
      running.catch(() => {
        running = undefined
      })
      return (await running).credential
    },
    invalidate() {
      running = undefined
      return true
    },
  }
}

async function run(exec: ExecConfig, cluster: ExecCluster): Promise<ExecStatus> {
  const mode = exec.interactiveMode ?? 'IfAvailable'
  const interactive = mode !== 'Never' && process.getBuiltinModule('node:tty').isatty(0)
  if (mode === 'Always' && !interactive)
    throw new Error(`exec plugin ${exec.command} needs a terminal: standard input is not a terminal`)
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(exec.provideClusterInfo ? { cluster } : {}) },
  }
  const env: NodeJS.ProcessEnv = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
  for (const { name, value } of exec.env ?? []) env[name] = value
  // Few users have a plugin, and loading this takes every command longer.
  const { spawn } = await import('node:child_process')
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(exec.command, exec.args ?? [], {
      env,
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('error', (error) =>
      reject(
        new Error(`exec plugin ${exec.command}: ${error.message}${exec.installHint ? `\n${exec.installHint}` : ''}`),
      ),
    )
    child.on('close', (code, signal) => {
      if (code === 0) resolve(text)
      else reject(new Error(`exec plugin ${exec.command} ended with ${signal ?? `exit code ${code}`}`))
    })
  })
  return readStatus(exec, output)
}

function readStatus(exec: ExecConfig, output: string): ExecStatus {
  let answer: { kind?: string; apiVersion?: string; status?: ExecStatus }
  try {
    answer = JSON.parse(output)
  } catch {
    throw new Error(`exec plugin ${exec.command} printed no ExecCredential`)
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== exec.apiVersion || !answer.status) {
    throw new Error(`exec plugin ${exec.command} printed no ExecCredential of ${exec.apiVersion} with a status`)
  }
  const { status } = answer
  if (!status.token && !(status.clientCertificateData && status.clientKeyData)) {
    throw new Error(`exec plugin ${exec.command} gave neither a token nor a certificate with its key`)
  }
  return status
}
