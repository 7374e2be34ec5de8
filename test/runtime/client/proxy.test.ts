import { expect, test } from '@jest/globals'
import { proxyFromEnvironment } from '../../../runtime/client/kubeconfig/proxy.ts'

const proxy = 'http://proxy.example:3128'
const direct = undefined

test.each<[string, string, Record<string, string>, string | undefined]>([
  ['nothing said', 'https://api.example', {}, direct],
  ['for HTTPS', 'https://api.example', { HTTPS_PROXY: proxy }, proxy],
  ['in lower case', 'https://api.example', { https_proxy: proxy }, proxy],
  ['the one for HTTP is not for HTTPS', 'https://api.example', { HTTP_PROXY: proxy }, direct],
  ['for HTTP', 'http://api.example', { HTTP_PROXY: proxy }, proxy],
  ['without a scheme', 'https://api.example', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
  ['this machine by name', 'https://localhost:6443', { HTTPS_PROXY: proxy }, direct],
  ['this machine by address', 'https://127.3.0.1:6443', { HTTPS_PROXY: proxy }, direct],
  ['this machine by IPv6 address', 'https://[::1]:6443', { HTTPS_PROXY: proxy }, direct],
  ['no server at all', 'https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, direct],
  ['the domain', 'https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: 'a.b, api.example' }, direct],
  ['a domain above it', 'https://one.api.example', { HTTPS_PROXY: proxy, no_proxy: 'example' }, direct],
  ['a domain that ends alike', 'https://myexample', { HTTPS_PROXY: proxy, NO_PROXY: 'example' }, proxy],
  ['subdomains only', 'https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: '.api.example' }, proxy],
  ['a subdomain', 'https://x.api.example', { HTTPS_PROXY: proxy, NO_PROXY: '.api.example' }, direct],
  ['an address', 'https://10.1.2.3', { HTTPS_PROXY: proxy, NO_PROXY: '10.1.2.3' }, direct],
  ['a range that it is in', 'https://10.1.2.3', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, direct],
  ['a range that it is not in', 'https://11.1.2.3', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, proxy],
  ['an IPv6 range', 'https://[fd00::7]', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8' }, direct],
  ['the port', 'https://api.example:6443', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example:6443' }, direct],
  ['another port', 'https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example:6443' }, proxy],
])('%s', (_reason, server, env, expected) => {
  expect(proxyFromEnvironment(server, env)).toBe(expected)
})
