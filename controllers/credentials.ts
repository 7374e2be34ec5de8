import { randomBytes } from 'node:crypto'
import { APPLIANCE_LABEL, planCredentials, tokenSecretName } from '../reconcilers/credentials/plan-credentials.ts'
import { Controller } from '../runtime/controller/controller.ts'
import type { Caches } from './caches.ts'
import { type ControllerDeps, cameOrWent, watching } from './deps.ts'
import { createExecutor } from './execute.ts'

/** Gives every Appliance the Secret with the token that its agent shows to the gateway. */
export function credentialsController(deps: ControllerDeps, caches: Caches): Controller {
  const { clock, log } = deps
  const executor = createExecutor({ ...deps, fieldManager: 'weir-credentials', caches: [caches.tokens] })
  return new Controller({
    name: 'credentials',
    clock,
    log,
    concurrency: 4,
    ...watching(deps),
    async reconcile(key, { signal }) {
      const appliance = caches.appliances.get(key)
      if (!appliance) return { type: 'done' }
      const { name = '', namespace } = appliance.metadata
      const hasSecret = caches.tokens.get(`${namespace}/${tokenSecretName(name)}`) !== undefined
      return await executor.execute(planCredentials({ appliance, hasSecret, newToken: newToken() }), signal)
    },
  })
    .reconciles(caches.appliances, { when: cameOrWent })
    .watches(caches.tokens, ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[APPLIANCE_LABEL]}`], {
      when: cameOrWent,
    })
}

/** As a Secret's data carries it: base64 of a token that can stand in a header. 256 bits. */
function newToken(): string {
  return Buffer.from(randomBytes(32).toString('base64url')).toString('base64')
}
