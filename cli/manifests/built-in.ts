import { builtInResources } from '../../apiserver/builtin/all.ts'
import { asObject } from '../../apiserver/json.ts'
import { builtInDefinition } from '../../apiserver/openapi/kubernetes.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import type { KnownKind } from './known-kind.ts'

/** The kinds of Kubernetes itself that the embedded API server has, by `apiVersion/kind`, with its own ways to read and to check them. */
export function builtInKinds(): ReadonlyMap<string, KnownKind> {
  return new Map(
    builtInResources().map(({ info, apiVersion, strategy }) => [
      `${apiVersion}/${info.kind}`,
      {
        group: info.group,
        version: info.version,
        kind: info.kind,
        namespaced: info.namespaced,
        hasStatus: info.hasStatus,
        get schema() {
          return info.schema
        },
        definition: builtInDefinition,
        validator: {
          decode: (object: JsonObject) => strategy.decode(object) as ReturnType<KnownKind['validator']['decode']>,
          applyDefaults: (object: JsonObject) => strategy.applyDefaults(asObject(object as never)) as JsonObject,
          validateCreate: (object: JsonObject) => [
            ...strategy.validateCreate(strategy.prepareForCreate(asObject(object as never))),
          ],
        },
      } satisfies KnownKind,
    ]),
  )
}
