import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import { isArray, isObject } from '../../json.ts'
import type { Attributes } from '../admission.ts'

type Labels = Readonly<Record<string, string>> | undefined

/** Whether a write is one that `matchConstraints` (or a binding's `matchResources`) is about. `namespaceLabels`: of the object's namespace. */
export function matchesResources(
  constraints: JsonValue | undefined,
  attributes: Attributes,
  namespaceLabels: Labels,
): boolean {
  if (!isObject(constraints)) return true
  const { namespaceSelector, objectSelector, resourceRules, excludeResourceRules } = constraints
  if (!namespaceMatches(namespaceSelector, attributes, namespaceLabels)) return false
  const { object, old } = attributes
  const matches = (labels: Labels) => matchesLabelSelector(objectSelector, labels)
  if (!matches(object?.metadata.labels) && !matches(old?.metadata.labels)) return false
  const rules = isArray(excludeResourceRules) ? excludeResourceRules.filter(isObject) : []
  if (rules.some((rule) => matchesRule(rule, attributes))) return false
  if (!isArray(resourceRules) || resourceRules.length === 0) return true
  return resourceRules.filter(isObject).some((rule) => matchesRule(rule, attributes))
}

/** Objects of the cluster are in no namespace, so that selectors of namespaces do not hold them back; a Namespace is its own. */
function namespaceMatches(
  selector: JsonValue | undefined,
  { target, object, old }: Attributes,
  labels: Labels,
): boolean {
  const { info } = target.served
  if (info.group === '' && info.plural === 'namespaces') {
    return matchesLabelSelector(selector, (object ?? old)?.metadata.labels)
  }
  return !info.namespaced || matchesLabelSelector(selector, labels)
}

function matchesRule(rule: JsonObject, { operation, target, name }: Attributes): boolean {
  const { info } = target.served
  const one = (list: JsonValue | undefined, value: string) =>
    isArray(list) && (list.includes('*') || list.includes(value))
  if (!one(rule.operations, operation) || !one(rule.apiGroups, info.group) || !one(rule.apiVersions, info.version)) {
    return false
  }
  if (rule.scope === 'Cluster' && info.namespaced) return false
  if (rule.scope === 'Namespaced' && !info.namespaced) return false
  if (isArray(rule.resourceNames) && rule.resourceNames.length > 0 && !rule.resourceNames.includes(name)) return false
  if (!isArray(rule.resources)) return false
  const { subresource } = target
  if (subresource === '')
    return rule.resources.includes('*') || rule.resources.includes('*/*') || rule.resources.includes(info.plural)
  return ['*/*', `*/${subresource}`, `${info.plural}/*`, `${info.plural}/${subresource}`].some((r) =>
    (rule.resources as readonly JsonValue[]).includes(r),
  )
}

/** metav1.LabelSelector over labels; an absent selector matches everything. */
export function matchesLabelSelector(selector: JsonValue | undefined, labels: Labels): boolean {
  if (!isObject(selector)) return true
  const { matchLabels, matchExpressions } = selector
  const value = (key: string) => (labels && Object.hasOwn(labels, key) ? labels[key] : undefined)
  if (isObject(matchLabels)) {
    for (const [key, wanted] of Object.entries(matchLabels)) if (value(key) !== wanted) return false
  }
  if (!isArray(matchExpressions)) return true
  return matchExpressions.filter(isObject).every(({ key, operator, values }) => {
    const has = value(String(key))
    const listed = isArray(values) && has !== undefined && values.includes(has)
    switch (operator) {
      case 'In':
        return listed
      case 'NotIn':
        return !listed
      case 'Exists':
        return has !== undefined
      default:
        return has === undefined
    }
  })
}
