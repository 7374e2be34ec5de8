import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type Served, serveFile } from './serve-file.ts'

/** What no segment may have in it. Elsewhere than on Windows a backslash is an ordinary character. */
const SEPARATORS = process.platform === 'win32' ? /[/\\:\0]/ : /[/\0]/

/**
 * The file below `root` that a URL path names, or undefined where it can name none: bad escapes, `..`, NUL. Each segment is unescaped by
 * itself, so that no escape can smuggle a separator in. Whether there is such a file is not looked at; symlinks are followed.
 */
export function fileBelow(root: string, urlPath: string): string | undefined {
  const query = urlPath.indexOf('?')
  const segments: string[] = []
  for (const escaped of (query < 0 ? urlPath : urlPath.slice(0, query)).split('/').slice(1)) {
    let segment: string
    try {
      segment = decodeURIComponent(escaped)
    } catch {
      return undefined
    }
    if (segment === '' || segment === '.' || segment === '..' || SEPARATORS.test(segment)) return undefined
    segments.push(segment)
  }
  return segments.length === 0 ? undefined : join(root, ...segments)
}

/** The escaped URL path of a file: the reverse of `fileBelow`, without a slash in front. */
export function urlPathOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** Serves the files of a folder: what an origin does. Folders themselves are 404. */
export async function serveFolder(root: string, request: IncomingMessage, response: ServerResponse): Promise<Served> {
  const path = fileBelow(root, request.url ?? '/')
  if (path === undefined) {
    response.writeHead(404, { 'Content-Length': 0 }).end()
    return { status: 404, bytes: 0, whole: true }
  }
  return await serveFile(request, response, { path, lastModified: true })
}
