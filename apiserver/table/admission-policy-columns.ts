import { compareStrings } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import { type Columns, column, creationDescription, nameColumn, textAt, valueAt } from './columns.ts'
import { age } from './duration.ts'

const UNSET = '<unset>'

export function policyColumns(): Columns {
  return {
    definitions: [
      nameColumn(),
      column('Validations', 'Validations indicates the number of validation rules defined in this configuration', {
        type: 'integer',
      }),
      column('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy'),
      column('Age', creationDescription()),
    ],
    cells: (policy, now) => {
      const validations = valueAt(policy, 'spec', 'validations')
      const of = (field: string): string => textAt(policy, 'spec', 'paramKind', field)
      return [
        policy.metadata.name ?? '',
        isArray(validations) ? validations.length : 0,
        valueAt(policy, 'spec', 'paramKind') === undefined ? UNSET : `${of('apiVersion')}/${of('kind')}`,
        age(policy.metadata.creationTimestamp, now),
      ]
    },
  }
}

export function policyBindingColumns(): Columns {
  return {
    definitions: [
      nameColumn(),
      column('PolicyName', 'PolicyName indicates the policy definition which the policy binding binded to'),
      column('ParamRef', 'ParamRef indicates the param resource which sets the configuration param'),
      column('Age', creationDescription()),
    ],
    cells: (binding, now) => [
      binding.metadata.name ?? '',
      textAt(binding, 'spec', 'policyName'),
      paramRef(binding),
      age(binding.metadata.creationTimestamp, now),
    ],
  }
}

function paramRef(binding: KubeObject): string {
  const name = textAt(binding, 'spec', 'paramRef', 'name')
  if (name !== '') return `${textAt(binding, 'spec', 'paramRef', 'namespace') || '*'}/${name}`
  const selector = valueAt(binding, 'spec', 'paramRef', 'selector')
  return isObject(selector) ? goSelector(selector) : UNSET
}

/** A label selector as Go's generated code prints it. */
function goSelector({ matchLabels, matchExpressions }: JsonObject): string {
  const labels = Object.entries(isObject(matchLabels) ? matchLabels : {})
    .sort(([a], [b]) => compareStrings(a, b))
    .map(([key, value]) => `${key}: ${String(value)},`)
  const expressions = (isArray(matchExpressions) ? matchExpressions : [])
    .filter(isObject)
    .map(({ key, operator, values }) => {
      const list = isArray(values) ? values.join(' ') : ''
      return `LabelSelectorRequirement{Key:${String(key)},Operator:${String(operator)},Values:[${list}],},`
    })
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}
