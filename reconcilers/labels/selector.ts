/** metav1.LabelSelector. Undefined selects nothing or everything as its user says; `{}` selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values?: readonly string[]
  }[]
}

/** Whether the labels satisfy every requirement of the selector. */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>> = {}): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key]
    const present = value !== undefined
    const matches = {
      In: present && values.includes(value),
      // As in Kubernetes: an object without the label is not in any set.
      NotIn: !present || !values.includes(value),
      Exists: present,
      DoesNotExist: !present,
    }[operator]
    if (!matches) return false
  }
  return true
}
