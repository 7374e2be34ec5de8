import { forbidden, invalid, notSupported } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { pathOf } from '../../crds/validation/field-path.ts'
import { type ApiObject, isObject } from '../json.ts'
import type { BuiltInKind } from './built-in.ts'

export const lease: BuiltInKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  validate,
  strategy: { allowUnconditionalUpdate: false, allowCreateOnUpdate: true },
}

function validate(object: ApiObject): readonly FieldError[] {
  const spec = isObject(object.spec) ? object.spec : {}
  const { leaseDurationSeconds: duration, leaseTransitions: transitions, strategy, preferredHolder } = spec
  const errors: FieldError[] = []
  if (typeof duration === 'number' && duration <= 0) {
    errors.push(invalid(pathOf(['spec', 'leaseDurationSeconds']), duration, 'must be greater than 0'))
  }
  if (typeof transitions === 'number' && transitions < 0) {
    errors.push(invalid(pathOf(['spec', 'leaseTransitions']), transitions, 'must be greater than or equal to 0'))
  }
  if (typeof strategy === 'string' && strategy !== 'OldestEmulationVersion') {
    errors.push(notSupported(pathOf(['spec', 'strategy']), strategy, ['OldestEmulationVersion']))
  }
  if (preferredHolder && !strategy) {
    errors.push(forbidden(pathOf(['spec', 'preferredHolder']), 'may only be specified if `strategy` is defined'))
  }
  return errors
}
