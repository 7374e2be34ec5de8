import { expect, test } from '@jest/globals'
import { requestInfo } from './request-info.ts'

const site = '/apis/fleet.weir.dev/v1alpha1/namespaces/eu/sites'
test.each([
  ['a collection is listed', 'GET', `${site}?limit=500`, 'list fleet.weir.dev sites eu ""'],
  ['or watched', 'GET', `${site}?watch=true`, 'watch fleet.weir.dev sites eu ""'],
  ['an object is got', 'GET', `${site}/fra1`, 'get fleet.weir.dev sites eu "fra1"'],
  ['apply is a patch', 'PATCH', `${site}/fra1/status?force=true`, 'patch fleet.weir.dev sites/status eu "fra1"'],
  ['a collection is deleted', 'DELETE', site, 'deletecollection fleet.weir.dev sites eu ""'],
  ['of all namespaces', 'GET', '/apis/fleet.weir.dev/v1alpha1/sites', 'list fleet.weir.dev sites  ""'],
  ['of the core group', 'POST', '/api/v1/namespaces/eu/events', 'create  events eu ""'],
  ['a namespace is in itself', 'GET', '/api/v1/namespaces/eu', 'get  namespaces eu "eu"'],
  ['making one is in none', 'POST', '/api/v1/namespaces', 'create  namespaces  ""'],
  ['what is no resource has a path only', 'GET', '/readyz', 'get    ""'],
  ['discovery is no resource', 'GET', '/apis/fleet.weir.dev/v1alpha1', 'get    ""'],
])('%s', (_, method, target, expected) => {
  const { verb, group, resource, namespace, name } = requestInfo(method, target)
  expect(`${verb} ${group} ${resource} ${namespace} "${name}"`).toBe(expected)
})
