import type { ResourceInfo } from '../../apiserver/resource.ts'

/** A custom resource of group `weir.dev`, as a CRD makes it. */
export function customResource(change: Partial<ResourceInfo> = {}): ResourceInfo {
  return {
    group: 'weir.dev',
    version: 'v1',
    kind: 'Sample',
    listKind: 'SampleList',
    plural: 'samples',
    singular: 'sample',
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
    storageVersion: 'v1',
    hasStatus: false,
    preserveUnknownFields: false,
    printerColumns: [],
    selectableFields: [],
    builtIn: false,
    ...change,
  }
}
