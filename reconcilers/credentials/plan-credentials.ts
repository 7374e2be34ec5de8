import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import { type Plan, plan } from '../plan.ts'

export const TOKEN_SECRET_TYPE = 'fleet.weir.dev/agent-token'
/** On every token Secret, with the appliance's name: what the gateway watches. */
export const APPLIANCE_LABEL = 'fleet.weir.dev/appliance'

export const tokenSecretName = (appliance: string) => `weir-agent-${appliance}`

export interface CredentialsInput {
  readonly appliance: Appliance
  readonly hasSecret: boolean
  /** A fresh secret of at least 256 bits, base64; used only when there is none yet. */
  readonly newToken: string
}

/** Gives every appliance a token, once; it is never changed, and goes with the appliance. Pure. */
export function planCredentials({ appliance, hasSecret, newToken }: CredentialsInput): Plan {
  const p = plan(appliance)
  if (hasSecret || appliance.metadata.deletionTimestamp) return p.done()
  const { name = '', namespace, uid = '' } = appliance.metadata
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: tokenSecretName(name),
      ...(namespace !== undefined && { namespace }),
      labels: { [APPLIANCE_LABEL]: name },
      ownerReferences: [{ apiVersion: appliance.apiVersion, kind: appliance.kind, name, uid, controller: true }],
    },
    ...{ type: TOKEN_SECRET_TYPE, data: { token: newToken } },
  }
  return p.create(secret).done()
}
