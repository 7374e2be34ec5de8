import type { IncomingMessage } from 'node:http'

/**
 * A header's value; several of one name with commas between. `req.headers` would make an object of all of them first, for every question. `name` is in small letters.
 */
export function rawHeader({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i]!
    if (each.length !== name.length || each.toLowerCase() !== name) continue
    value = value === undefined ? rawHeaders[i + 1]! : `${value}, ${rawHeaders[i + 1]}`
  }
  return value
}
