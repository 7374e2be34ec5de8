import { isIP } from 'node:net'

export interface ListenAddress {
  /** Undefined: on every address of this machine. */
  readonly host: string | undefined
  readonly port: number
}

/** Reads `HOST:PORT`, `[v6]:PORT` or `:PORT`; undefined where it is none of these. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(.*):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65_535) return undefined
  const host = match[1]!.replace(/^\[(.*)\]$/, '$1')
  if (host === '') return { host: undefined, port }
  return host === 'localhost' || isIP(host) !== 0 ? { host, port } : undefined
}
