import { Served } from '../served.ts'
import { validatingAdmissionPolicy, validatingAdmissionPolicyBinding } from './admission-policy.ts'
import { type BuiltInKind, builtInInfo, builtInStrategy } from './built-in.ts'
import { configMap } from './config-map.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'
import { coreEvent, fromCore, newEvent, toCore } from './event.ts'
import { lease } from './lease.ts'
import { namespace } from './namespace.ts'
import { clusterRole, clusterRoleBinding, role, roleBinding } from './rbac.ts'
import { secret } from './secret.ts'
import { serviceAccount } from './service-account.ts'

const kinds: readonly BuiltInKind[] = [
  namespace,
  configMap,
  secret,
  coreEvent,
  serviceAccount,
  customResourceDefinition,
  lease,
  role,
  roleBinding,
  clusterRole,
  clusterRoleBinding,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
]

function serve(kind: BuiltInKind): Served {
  const info = builtInInfo(kind)
  return new Served({ info, versions: [info], strategy: builtInStrategy(kind) })
}

/** Events of events.k8s.io are core events, shown in their own words. */
function serveNewEvents(): Served {
  const info = builtInInfo(newEvent)
  return new Served({
    info,
    versions: [info],
    strategy: builtInStrategy(newEvent),
    storedAs: { group: '', plural: 'events' },
    fromStorage: fromCore,
    toStorage: toCore,
  })
}

/** Every built-in resource, as served from the start. */
export function builtInResources(): readonly Served[] {
  return [...kinds.map(serve), serveNewEvents()]
}
