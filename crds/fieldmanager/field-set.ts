/** A set of fields of an object, as a trie of path elements in the wire's spelling (`f:spec`, `k:{"port":80}`, `v:"a"`, `i:0`). */
export interface FieldSet {
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}
