import type { JsonObject } from '../../crds/metadata.ts'
import type { Log } from '../../runtime/log.ts'
import type { Api, Target } from '../api.ts'
import { controllerUser } from '../auth/user.ts'
import { asObject, at, withFields } from '../json.ts'
import { objectKey, parseKey } from '../storage/keys.ts'
import type { Stored, StoreEvent, Transaction } from '../storage/store.ts'
import { createIn } from '../verbs/create.ts'
import { modifyIn } from '../verbs/modify.ts'
import { transact } from '../verbs/write.ts'
import { KeyLoop } from './key-loop.ts'

const caName = 'kube-root-ca.crt'
const accountName = 'default'
const user = controllerUser('root-ca-cert-publisher')
const about = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
}

/** What every namespace has: the ServiceAccount `default`, and the server's authority in a ConfigMap. */
export class NamespaceDefaults {
  readonly #api: Api
  readonly #authority: string
  readonly #loop: KeyLoop

  /** `authority`: the CA certificate, PEM. */
  constructor(api: Api, authority: string, log: Log) {
    this.#api = api
    this.#authority = authority
    const work = (names: readonly string[]) => this.#ensure(names)
    this.#loop = new KeyLoop({ name: 'namespace-defaults', clock: api.clock, log, batch: 50, work })
  }

  start(objects: readonly Stored[]): void {
    for (const { key } of objects) {
      const { group, plural, name } = parseKey(key)
      if (group === '' && plural === 'namespaces') this.#loop.add(name)
    }
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  readonly event = ({ type, key }: StoreEvent): void => {
    const { group, plural, namespace, name } = parseKey(key)
    if (group !== '') return
    if (plural === 'namespaces' && type === 'ADDED') this.#loop.add(name)
    else if (plural === 'serviceaccounts' && type === 'DELETED' && name === accountName) this.#loop.add(namespace)
    else if (plural === 'configmaps' && type !== 'ADDED' && name === caName) this.#loop.add(namespace)
  }

  async #ensure(names: readonly string[]): Promise<void> {
    await transact(this.#api, false, (tx) => {
      for (const name of names) this.#ensureIn(tx, name)
    })
  }

  #ensureIn(tx: Transaction, namespace: string): void {
    const found = tx.get(objectKey('', 'namespaces', undefined, namespace))
    if (!found || found.value.metadata.deletionTimestamp) return
    this.#ensureObject(tx, namespace, 'serviceaccounts', 'ServiceAccount', accountName, {})
    const data = { 'ca.crt': this.#authority }
    const published = this.#ensureObject(tx, namespace, 'configmaps', 'ConfigMap', caName, { data })
    if (!published || at(asObject(published.value), 'data', 'ca.crt') === this.#authority) return
    modifyIn(this.#api, tx, this.#target(namespace, 'configmaps', caName), published, (live) =>
      withFields(live, { data }),
    )
  }

  /** Creates the object where it is not there; returns it where it is. */
  #ensureObject(
    tx: Transaction,
    namespace: string,
    plural: string,
    kind: string,
    name: string,
    fields: JsonObject,
  ): Stored | undefined {
    const found = tx.get(objectKey('', plural, namespace, name))
    if (found) return found
    const annotations = kind === 'ConfigMap' ? { annotations: about } : {}
    const object = { apiVersion: 'v1', kind, metadata: { name, namespace, ...annotations } }
    createIn(this.#api, tx, this.#target(namespace, plural, ''), withFields(asObject(object), fields), false)
    return undefined
  }

  #target(namespace: string, plural: string, name: string): Target {
    const served = this.#api.registry.find('', 'v1', plural)
    if (!served) throw new Error(`${plural} are not served`)
    return { served, namespace, name, subresource: '', user, warn: () => {} }
  }
}
