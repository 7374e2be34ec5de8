import type { Credentials } from '../credentials.ts'

/** Everything needed to talk to one API server. */
export interface ClusterAccess {
  /** `https://host:port`, without a trailing slash; may have a path. */
  readonly server: string
  /** PEM; the system's own authorities where absent. */
  readonly ca?: string
  /** The name the server's certificate must have, where it is not the host of `server`. */
  readonly tlsServerName?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly proxyUrl?: string
  readonly credentials: Credentials
  /** The context's namespace; `default` is the client's to fill in. */
  readonly namespace?: string
}
