/** What a person says of an object besides its name and spec. */
export interface ClusterManifestMetadata {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** The same of an object that is in a namespace. */
export interface ManifestMetadata extends ClusterManifestMetadata {
  readonly namespace?: string
}
