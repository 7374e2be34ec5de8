import type { JsonValue, KubeObject } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import { policyBindingColumns, policyColumns } from './admission-policy-columns.ts'
import { type Columns, column, creationDescription, describeField, nameColumn, textAt, valueAt } from './columns.ts'
import { age } from './duration.ts'
import { eventColumns } from './event-columns.ts'

/** How Kubernetes shows a built-in kind. Most end with an age; kinds without columns of their own show when they were made. */
export function builtInColumns({ group, kind }: ResourceInfo): Columns {
  return COLUMNS[`${group}/${kind}`]?.() ?? defaultColumns()
}

const CORE = 'io.k8s.api.core.v1'
const RBAC = 'io.k8s.api.rbac.v1'

const COLUMNS: Readonly<Record<string, () => Columns>> = {
  '/Namespace': () => ({
    definitions: [nameColumn(), column('Status', 'The status of the namespace'), ageColumn()],
    cells: (object, now) => [name(object), textAt(object, 'status', 'phase'), created(object, now)],
  }),
  '/ConfigMap': () => ({
    definitions: [nameColumn(), column('Data', describeField(`${CORE}.ConfigMap`, 'data')), ageColumn()],
    cells: (object, now) => [name(object), sizeAt(object, 'data') + sizeAt(object, 'binaryData'), created(object, now)],
  }),
  '/Secret': () => ({
    definitions: [
      nameColumn(),
      column('Type', describeField(`${CORE}.Secret`, 'type')),
      column('Data', describeField(`${CORE}.Secret`, 'data')),
      ageColumn(),
    ],
    cells: (object, now) => [name(object), textAt(object, 'type'), sizeAt(object, 'data'), created(object, now)],
  }),
  '/ServiceAccount': () => ({
    definitions: [nameColumn(), ageColumn()],
    cells: (object, now) => [name(object), created(object, now)],
  }),
  '/Event': eventColumns,
  'events.k8s.io/Event': eventColumns,
  'coordination.k8s.io/Lease': () => ({
    definitions: [
      nameColumn(),
      column('Holder', describeField('io.k8s.api.coordination.v1.LeaseSpec', 'holderIdentity')),
      ageColumn(),
    ],
    cells: (object, now) => [name(object), textAt(object, 'spec', 'holderIdentity'), created(object, now)],
  }),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': policyColumns,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBindingColumns,
  'rbac.authorization.k8s.io/RoleBinding': () => bindingColumns('RoleBinding', 'roleBinding'),
  'rbac.authorization.k8s.io/ClusterRoleBinding': () => bindingColumns('ClusterRoleBinding', 'clusterRoleBinding'),
}

function defaultColumns(): Columns {
  return {
    definitions: [nameColumn(), column('Created At', creationDescription(), { type: 'date' })],
    cells: (object) => [name(object), object.metadata.creationTimestamp ?? ''],
  }
}

function bindingColumns(kind: string, word: string): Columns {
  return {
    definitions: [
      nameColumn(),
      column('Role', describeField(`${RBAC}.${kind}`, 'roleRef').replace(' This field is immutable.', '')),
      ageColumn(),
      ...['Users', 'Groups', 'ServiceAccounts'].map((who) => column(who, `${who} in the ${word}`, { priority: 1 })),
    ],
    cells: (object, now) => [
      name(object),
      `${textAt(object, 'roleRef', 'kind')}/${textAt(object, 'roleRef', 'name')}`,
      created(object, now),
      subjects(object, 'User', subjectName),
      subjects(object, 'Group', subjectName),
      subjects(object, 'ServiceAccount', (account) => `${account.namespace}/${account.name}`),
    ],
  }
}

interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

function subjectName({ name }: Subject): string {
  return name
}

function subjects(object: KubeObject, kind: string, print: (subject: Subject) => string): string {
  const list = valueAt(object, 'subjects')
  const found = (isArray(list) ? list : []).filter(isObject).map((of) => ({
    kind: text(of.kind),
    name: text(of.name),
    namespace: text(of.namespace),
  }))
  return found
    .filter((subject) => subject.kind === kind)
    .map(print)
    .join(', ')
}

function ageColumn() {
  return column('Age', creationDescription())
}

function name(object: KubeObject): string {
  return object.metadata.name ?? ''
}

function created(object: KubeObject, now: Date): string {
  return age(object.metadata.creationTimestamp, now)
}

function sizeAt(object: KubeObject, field: string): number {
  const value = valueAt(object, field)
  return isObject(value) ? Object.keys(value).length : 0
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
