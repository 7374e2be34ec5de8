import { readFileSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { type Credential, type Credentials, fixedCredentials, tokenFileCredentials } from '../credentials.ts'
import { type ExecCluster, type ExecConfig, execCredentials } from '../exec-credentials.ts'
import { type Entry, type Fields, pathIn, pem, text } from './entries.ts'

/** Who to be instead of, or beside, whom the kubeconfig says; named as the flags of kubectl. */
export interface UserOverrides {
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Files, from the working folder. */
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
  readonly as?: string | undefined
  readonly asUid?: string | undefined
  readonly asGroup?: readonly string[] | undefined
  /** `KEY=VALUE`, repeatable. */
  readonly asUserExtra?: readonly string[] | undefined
}

interface Target {
  readonly cluster: ExecCluster
  /** Only then credentials are sent: over plain HTTP anybody on the way could read them. */
  readonly encrypted: boolean
  readonly clock: Clock
}

/**
 * What a user's requests carry. Throws an Error where the entry contradicts itself or a file cannot be read; a plugin runs when its answer is
 * first needed.
 */
export function credentialsOf(user: Entry | undefined, overrides: UserOverrides, target: Target): Credentials {
  const name = user?.name ?? ''
  const fields = withOverrides(user?.fields ?? {}, overrides)
  const entry: Entry = { name, fields, dir: user?.dir ?? '.' }
  const headers = impersonation(name, fields)
  const impersonated: Credential = Object.keys(headers).length === 0 ? {} : { headers }
  if (!target.encrypted) return fixedCredentials(impersonated)
  if (fields['auth-provider'])
    throw new Error(`user "${name}": auth-provider was removed from Kubernetes clients; use an exec plugin`)
  const base: Credential = { ...impersonated, ...certificate(entry, overrides) }

  const [token, tokenFile] = [text(fields, 'token'), text(fields, 'tokenFile')]
  const [username, password] = [text(fields, 'username'), text(fields, 'password')]
  if (token !== undefined && (username ?? password) !== undefined)
    throw new Error(`user "${name}" has a token and a username or password; only one of them is allowed`)
  if (tokenFile !== undefined && overrides.token === undefined)
    return tokenFileCredentials(pathIn(entry.dir, tokenFile), target.clock, base)
  if (token !== undefined) return fixedCredentials({ ...base, authorization: `Bearer ${token}` })
  if (username !== undefined || password !== undefined) {
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    return fixedCredentials({ ...base, authorization: `Basic ${basic}` })
  }
  const exec = fields.exec as ExecConfig | undefined
  return exec
    ? execCredentials(checkedExec(name, exec, entry.dir), target.cluster, target.clock, base)
    : fixedCredentials(base)
}

function withOverrides(fields: Fields, overrides: UserOverrides): Fields {
  const { token, username, password, as, asUid, asGroup, asUserExtra } = overrides
  const extra: Record<string, string[]> = {}
  for (const pair of asUserExtra ?? []) {
    const [key = '', ...value] = pair.split('=')
    extra[key] = [...(extra[key] ?? []), value.join('=')]
  }
  const given = { token, username, password, as, 'as-uid': asUid, 'as-groups': asGroup }
  return {
    ...fields,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value.length > 0)),
    ...(asUserExtra?.length ? { 'as-user-extra': extra } : {}),
  }
}

/** The certificate that proves who we are; one of the flags replaces the kubeconfig's, whether that is a file or data. */
function certificate(entry: Entry, overrides: UserOverrides): Credential {
  const fromFlag = (flag: string, path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new Error(`cannot read ${flag} ${path}: ${(error as Error).message}`)
    }
  }
  const { clientCertificate, clientKey } = overrides
  const cert = clientCertificate
    ? fromFlag('--client-certificate', clientCertificate)
    : pem(entry, 'client-certificate')
  const key = clientKey ? fromFlag('--client-key', clientKey) : pem(entry, 'client-key')
  if (cert !== undefined && key === undefined)
    throw new Error(`user "${entry.name}" has a client certificate without its key`)
  return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
}

function checkedExec(name: string, exec: ExecConfig, dir: string): ExecConfig {
  if (!exec.command) throw new Error(`user "${name}": its exec plugin has no command`)
  const v1 = exec.apiVersion === 'client.authentication.k8s.io/v1'
  if (v1 && !exec.interactiveMode)
    throw new Error(`user "${name}": interactiveMode must be specified to use an exec plugin`)
  if (exec.interactiveMode && !['Never', 'IfAvailable', 'Always'].includes(exec.interactiveMode))
    throw new Error(`user "${name}": invalid interactiveMode "${exec.interactiveMode}"`)
  // A command with a slash is relative to the kubeconfig; a bare one is looked up in PATH.
  return { ...exec, command: exec.command.includes('/') ? pathIn(dir, exec.command) : exec.command }
}

function impersonation(name: string, user: Fields): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const as = text(user, 'as')
  const uid = text(user, 'as-uid')
  const groups = (user['as-groups'] ?? []) as string[]
  const extra = Object.entries((user['as-user-extra'] ?? {}) as Record<string, string[]>)
  if (as === undefined && (uid !== undefined || groups.length > 0 || extra.length > 0))
    throw new Error(`requesting uid, groups or user-extra for ${name} without impersonating a user`)
  if (as !== undefined) headers['Impersonate-User'] = as
  if (uid !== undefined) headers['Impersonate-Uid'] = uid
  if (groups.length > 0) headers['Impersonate-Group'] = groups
  for (const [key, values] of extra) headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values
  return headers
}
