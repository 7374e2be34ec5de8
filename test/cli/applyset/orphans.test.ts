import { describe, expect, test } from '@jest/globals'
import type { ServedResource } from '../../../cli/api/discovery.ts'
import { applySetId, PART_OF_LABEL } from '../../../cli/applyset/id.ts'
import { keepReason, orphansOf } from '../../../cli/applyset/orphans.ts'
import type { ApplySet } from '../../../cli/applyset/parent.ts'
import type { JsonObject, KubeObject, ObjectMeta } from '../../../crds/metadata.ts'

type Body = KubeObject & JsonObject

const resource = (kind: string, group = '', namespaced = true): ServedResource => ({
  group,
  version: 'v1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced,
  singular: '',
  shortNames: [],
  categories: [],
  verbs: [],
  subresources: [],
})
const secret = resource('Secret')
const key = { name: 'fleet', namespace: 'fleet' }
// As kubectl 1.36 took it for its own: secret "fleet" in "fleet".
const id = 'applyset-7pNsIGsVCIoKdrFv-05XIqpcey8npBRs67gAqCZCwhE-v1'
const set: ApplySet = {
  id,
  resource: secret,
  key,
  parent: undefined,
  scope: { kinds: new Set(), namespaces: new Set() },
}

const member = (of: ServedResource, metadata: ObjectMeta) => ({
  resource: of,
  object: {
    apiVersion: 'v1',
    kind: of.kind,
    metadata: { labels: { [PART_OF_LABEL]: id }, ...metadata },
  } as unknown as Body,
})

test('the id of a set is upstream’s', () => {
  expect(applySetId(secret, key)).toBe(id)
})

describe('an orphan', () => {
  test.each<[string, ObjectMeta, string | undefined]>([
    ['goes', {}, undefined],
    ['that lost the label stays', { labels: {} }, 'is not part of the set any more'],
    [
      'annotated for Weir stays',
      { annotations: { 'weir.dev/prune': 'disabled' } },
      'has the annotation weir.dev/prune: disabled',
    ],
    ['annotated otherwise goes', { annotations: { 'weir.dev/prune': 'enabled' } }, undefined],
    [
      'annotated for Argo CD among other options stays',
      { annotations: { 'argocd.argoproj.io/sync-options': 'Validate=false, Prune=false' } },
      'has the annotation argocd.argoproj.io/sync-options: Prune=false',
    ],
    [
      'annotated for Helm stays',
      { annotations: { 'helm.sh/resource-policy': 'keep' } },
      'has the annotation helm.sh/resource-policy: keep',
    ],
    [
      'that a controller made stays',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 's', uid: 'u', controller: true }] },
      'belongs to Service s',
    ],
    ['that is going already is left to it', { deletionTimestamp: '2026-01-01T00:00:00Z' }, 'is being deleted already'],
  ])('%s', (_, metadata, reason) => {
    expect(keepReason(member(secret, { name: 'x', ...metadata }).object, set)).toBe(reason)
  })

  const site = resource('Site', 'fleet.weir.dev')
  const namespace = resource('Namespace', '', false)
  const crd = resource('CustomResourceDefinition', 'apiextensions.k8s.io', false)
  const wanted = [{ ...member(site, { name: 'fra', namespace: 'eu' }), uid: 'u1' }]
  test.each<[string, ReturnType<typeof member>, string | undefined]>([
    ['namespace without anything of the set goes', member(namespace, { name: 'us' }), undefined],
    ['namespace of what stays stays', member(namespace, { name: 'eu' }), 'holds Site fra, which is to stay'],
    ['namespace of the inventory stays', member(namespace, { name: 'fleet' }), 'holds the inventory of the set'],
    [
      'definition of what stays stays',
      member(crd, { name: 'sites.fleet.weir.dev' }),
      'defines the kind of Site fra, which is to stay',
    ],
    ['definition of something else goes', member(crd, { name: 'gates.fleet.weir.dev' }), undefined],
    ['inventory is none', member(secret, key), 'is the inventory of the set'],
  ])('%s', (_, found, keep) => {
    expect(orphansOf(set, [found], wanted)).toEqual([{ ...found, keep }])
  })

  test('is not what the manifests have, under whatever group it is served', () => {
    const same = member(site, { name: 'fra', namespace: 'eu' })
    const alias = member(resource('Site', 'extensions'), { name: 'fra', namespace: 'eu', uid: 'u1' })
    const other = member(site, { name: 'fra', namespace: 'us', uid: 'u2' })
    expect(orphansOf(set, [same, alias, other], wanted).map(({ object }) => object)).toEqual([other.object])
  })
})
