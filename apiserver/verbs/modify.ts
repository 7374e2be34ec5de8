import { trackUpdate } from '../../crds/fieldmanager/track-update.ts'
import type { Api, Target } from '../api.ts'
import { type ApiObject, asObject, rfc3339 } from '../json.ts'
import type { Representation } from '../served.ts'
import type { Stored, Transaction } from '../storage/store.ts'
import { updateIn } from './update.ts'

/** Changes a stored object inside a transaction, as an update by a controller of the server would. */
export function modifyIn(
  api: Api,
  tx: Transaction,
  target: Target,
  stored: Stored,
  change: (live: ApiObject) => ApiObject,
  manager = 'kube-controller-manager',
): Representation {
  const { served, subresource } = target
  const live = served.read(stored).value
  const updated = trackUpdate({
    scope: served.scope(subresource),
    live,
    updated: change(live),
    manager,
    now: rfc3339(api.clock.now()),
  })
  return updateIn(api, tx, target, stored, asObject(updated), false)
}
