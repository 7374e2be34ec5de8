import { FillError } from './fill-error.ts'

/**
 * Where a file of a catalog is at its origin: the base followed by the path, each segment escaped, so that `#`, `?`, `%` and line breaks in
 * names are names. Throws FillError for a path or an origin that no URL can name.
 */
export function originUrl(base: string, path: string): string {
  if (!/^https?:\/\//.test(base)) {
    const scheme = JSON.stringify(base.split(':')[0])
    throw new FillError('OriginUnsupported', 'file', `origins are http or https, this one is ${scheme}`)
  }
  const segments = path.split('/')
  if (segments.some((segment) => segment === '.' || segment === '..') || !path.isWellFormed()) {
    throw new FillError('BadPath', 'file', 'no URL can name this path')
  }
  // A query of the base, such as a token, stays behind the path.
  const at = base.indexOf('?')
  const [folder, query] = at < 0 ? [base, ''] : [base.slice(0, at), base.slice(at)]
  return `${folder.endsWith('/') ? folder : `${folder}/`}${segments.map(encodeURIComponent).join('/')}${query}`
}
