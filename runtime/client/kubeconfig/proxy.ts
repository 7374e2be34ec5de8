// Loaded where a proxy is named, and not with every command.
const net = () => process.getBuiltinModule('node:net')
const isIP = (text: string) => net().isIP(text)

/**
 * The proxy that `$HTTPS_PROXY`, `$HTTP_PROXY` and `$NO_PROXY` (or their lower-case twins) mean for a server; undefined: none. As in Go's
 * net/http, which kubectl uses: this machine is never reached through a proxy.
 * Source: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFromEnvironment(
  server: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const url = new URL(server)
  const value = url.protocol === 'https:' ? env.HTTPS_PROXY || env.https_proxy : env.HTTP_PROXY || env.http_proxy
  if (!value) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || isLoopback(host)) return undefined
  const excepted = (env.NO_PROXY || env.no_proxy || '').split(',').some((rule) => matches(rule.trim(), host, port))
  if (excepted) return undefined
  return value.includes('://') ? value : `http://${value}`
}

const isLoopback = (host: string) => host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** One part of NO_PROXY: `*`, an address, a range of them, or a domain, which means its subdomains too (with a leading dot only those). */
function matches(rule: string, host: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  const range = /^(.+)\/(\d+)$/.exec(rule)
  if (range) return inRange(range[1]!, Number(range[2]), host)
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(rule)
  if (withPort && withPort[2] !== port) return false
  const name = (withPort ? withPort[1]! : rule).replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(name)) return name === host
  const domain = name.replace(/^\*?\./, '')
  return host.endsWith(`.${domain}`) || (host === domain && domain === name)
}

function inRange(network: string, bits: number, host: string): boolean {
  const [family, own] = [isIP(network), isIP(host)]
  if (family === 0 || family !== own || bits > (family === 4 ? 32 : 128)) return false
  const list = new (net().BlockList)()
  const type = family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(network, bits, type)
  return list.check(host, type)
}
