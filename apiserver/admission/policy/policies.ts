import type { JsonValue, KubeObject } from '../../../crds/metadata.ts'
import { ApiError, forbidden } from '../../api-error.ts'
import { type ApiObject, asObject, isArray, isObject } from '../../json.ts'
import type { Registry } from '../../registry.ts'
import { keyPrefix, objectKey, parseKey } from '../../storage/keys.ts'
import type { Store, StoreEvent, Transaction } from '../../storage/store.ts'
import type { Attributes, Gate } from '../admission.ts'
import { type CompiledPolicy, compilePolicy } from './compile.ts'
import { type Denial, evaluatePolicy } from './evaluate.ts'
import { matchesLabelSelector, matchesResources } from './match.ts'

const group = 'admissionregistration.k8s.io'
const policies = 'validatingadmissionpolicies'
const bindings = 'validatingadmissionpolicybindings'
const codes: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 }

/** ValidatingAdmissionPolicies in force: kept in step with the store, so that a write only looks into memory. */
export class Policies {
  readonly #policies = new Map<string, CompiledPolicy>()
  readonly #bindings = new Map<string, ApiObject>()
  readonly #store: Store
  readonly #registry: Registry

  constructor(store: Store, registry: Registry) {
    this.#store = store
    this.#registry = registry
  }

  /** Takes the policies there are; call before any event. */
  start(): void {
    for (const { value } of this.#store.range(keyPrefix(group, policies)).items) this.#setPolicy(asObject(value))
    for (const { value } of this.#store.range(keyPrefix(group, bindings)).items) this.#setBinding(asObject(value))
  }

  readonly event = ({ type, key, current }: StoreEvent): void => {
    const parts = parseKey(key)
    if (parts.group !== group) return
    if (parts.plural === policies) {
      if (type === 'DELETED') this.#policies.delete(parts.name)
      else this.#setPolicy(asObject(current.value))
    } else if (parts.plural === bindings) {
      if (type === 'DELETED') this.#bindings.delete(parts.name)
      else this.#setBinding(asObject(current.value))
    }
  }

  #setPolicy(policy: ApiObject): void {
    this.#policies.set(policy.metadata.name ?? '', compilePolicy(policy).policy)
  }

  #setBinding(binding: ApiObject): void {
    this.#bindings.set(binding.metadata.name ?? '', binding)
  }

  /** Throws where a policy denies the write; warns where one is bound to warn only. */
  readonly gate: Gate = (attributes, tx) => {
    if (this.#bindings.size === 0) return
    // Policies are not asked about themselves: a wrong one must be removable.
    if (attributes.target.served.info.group === group) return
    const namespaceObject = this.#namespace(attributes, tx)
    for (const binding of this.#bindings.values()) {
      const spec = isObject(binding.spec) ? binding.spec : {}
      const policy = this.#policies.get(String(spec.policyName))
      if (!policy || !matchesResources(policy.constraints, attributes, namespaceObject?.metadata.labels)) continue
      if (!matchesResources(spec.matchResources, attributes, namespaceObject?.metadata.labels)) continue
      for (const params of this.#params(policy, spec.paramRef, attributes, tx)) {
        const denials =
          params === 'missing'
            ? [
                {
                  reason: 'Invalid',
                  message:
                    'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
                },
              ]
            : evaluatePolicy(policy, { attributes, namespaceObject, params })
        this.#act(attributes, policy, binding, denials)
      }
    }
  }

  #act(attributes: Attributes, policy: CompiledPolicy, binding: ApiObject, denials: readonly Denial[]): void {
    const spec = isObject(binding.spec) ? binding.spec : {}
    const actions = isArray(spec.validationActions) ? spec.validationActions : []
    const where = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.metadata.name}'`
    for (const { reason, message } of denials) {
      if (actions.includes('Warn')) attributes.target.warn(`Validation failed for ${where}: ${message}`)
      if (actions.includes('Deny')) throw denied(attributes, reason, `${where} denied request: ${message}`)
    }
  }

  #namespace({ target }: Attributes, tx: Transaction): KubeObject | undefined {
    if (!target.served.info.namespaced) return undefined
    return tx.get(objectKey('', 'namespaces', undefined, target.namespace))?.value
  }

  /** The parameters a policy is asked with, one after the other; undefined: none are needed. */
  #params(
    policy: CompiledPolicy,
    reference: JsonValue | undefined,
    attributes: Attributes,
    tx: Transaction,
  ): readonly (KubeObject | undefined | 'missing')[] {
    if (!policy.paramKind) return [undefined]
    const { apiVersion, kind } = policy.paramKind
    const slash = apiVersion.indexOf('/')
    const of = this.#registry.findKind(slash < 0 ? '' : apiVersion.slice(0, slash), kind, apiVersion.slice(slash + 1))
    const ref = isObject(reference) ? reference : {}
    const missing = ref.parameterNotFoundAction === 'Allow' ? [] : (['missing'] as const)
    if (!of) return missing
    const namespace = of.info.namespaced ? String(ref.namespace ?? attributes.target.namespace) : ''
    if (typeof ref.name === 'string' && ref.name !== '') {
      const found = tx.get(of.key(namespace, ref.name))
      return found ? [of.read(found).value] : missing
    }
    const found = this.#store
      .range(of.collection(namespace))
      .items.filter((i) => matchesLabelSelector(ref.selector, i.value.metadata.labels))
    return found.length > 0 ? found.map((i) => of.read(i).value) : missing
  }
}

function denied({ target, name }: Attributes, reason: string, message: string): ApiError {
  const { status } = forbidden(target.served.groupResource, name, message)
  const details = { ...status.details, causes: [{ message }] }
  return new ApiError(codes[reason] ?? 422, reason, status.message ?? message, details)
}
