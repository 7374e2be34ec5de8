import type { BuiltInKind } from './built-in.ts'

export const serviceAccount: BuiltInKind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  strategy: { allowUnconditionalUpdate: false, returnsDeleted: true },
}
