import type { IncomingHttpHeaders } from 'node:http'
import { badRequest, forbidden } from '../api-error.ts'
import { type Access, type Authorizer, refusal } from './authorize.ts'
import type { User } from './user.ts'

/** The user a request acts for (`kubectl --as`), if whoever sends it may. Throws 403, or 400 where headers do not make sense. */
export function impersonate(headers: IncomingHttpHeaders, user: User, authorizer: Authorizer): User {
  const name = one(headers['impersonate-user'])
  const groups = all(headers['impersonate-group'])
  const uid = one(headers['impersonate-uid'])
  const extras = Object.keys(headers).filter((h) => h.startsWith('impersonate-extra-'))
  if (name === '') {
    if (groups.length === 0 && uid === '' && extras.length === 0) return user
    throw badRequest('requested groups, a uid or extras without impersonating a user')
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  if (account)
    check(authorizer, user, { resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' })
  else check(authorizer, user, { resource: 'users', namespace: '', name })
  for (const group of groups) check(authorizer, user, { resource: 'groups', namespace: '', name: group })
  if (uid !== '')
    check(authorizer, user, { resource: 'uids', namespace: '', name: uid, group: 'authentication.k8s.io' })
  const extra: Record<string, readonly string[]> = {}
  for (const header of extras) {
    const key = decodeURIComponent(header.slice('impersonate-extra-'.length))
    const values = all(headers[header])
    for (const value of values) {
      const group = 'authentication.k8s.io'
      check(authorizer, user, { resource: 'userextras', subresource: key, namespace: '', name: value, group })
    }
    extra[key] = values
  }
  const own = groups.includes('system:unauthenticated') || name === 'system:anonymous' ? [] : ['system:authenticated']
  const implied = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : []
  return {
    name,
    groups: [...new Set([...groups, ...(groups.length === 0 ? implied : []), ...own])],
    ...(uid === '' ? {} : { uid }),
    ...(extras.length > 0 ? { extra } : {}),
  }
}

interface Asked {
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly subresource?: string
  readonly group?: string
}

function check(authorizer: Authorizer, user: User, asked: Asked): void {
  const access: Access = { type: 'resource', verb: 'impersonate', version: 'v1', group: '', subresource: '', ...asked }
  if (authorizer.authorize(user, access).allowed) return
  throw forbidden({ group: access.group, resource: access.resource }, access.name, refusal(user, access))
}

function one(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? ''
}

function all(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return []
  // Node joins repeated headers it does not know by ", ".
  return Array.isArray(header) ? header : header.split(', ')
}
