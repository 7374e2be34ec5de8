/**
 * What `import … from 'weir'` gives: typed functions that make manifests of Weir's kinds, and `toYaml`. Nothing here reads or writes anything.
 */
export * from '../crds/builders.gen.ts'
export type { ClusterManifestMetadata, ManifestMetadata } from '../crds/manifest.ts'
export type { Condition, KubeObject, ObjectMeta } from '../crds/metadata.ts'
export type * from '../crds/types.gen.ts'
export { toYaml } from './output/to-yaml.ts'
