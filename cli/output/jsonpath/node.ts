/** A parsed JSONPath template, as kubectl's: text and `{…}` actions. */
export type JsonPathNode =
  | { readonly type: 'list'; readonly nodes: readonly JsonPathNode[] }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | {
      readonly type: 'slice'
      readonly from?: number
      readonly to?: number
      readonly step?: number
      readonly single: boolean
    }
  | {
      readonly type: 'filter'
      readonly left: readonly JsonPathNode[]
      readonly operator: string
      readonly right: readonly JsonPathNode[]
    }
  | { readonly type: 'union'; readonly branches: readonly (readonly JsonPathNode[])[] }
  | { readonly type: 'value'; readonly value: number | boolean; readonly float: boolean }
  | { readonly type: 'identifier'; readonly name: string }

export class JsonPathError extends Error {}
