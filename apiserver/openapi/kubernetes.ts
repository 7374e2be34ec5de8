import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import kubernetes from './kubernetes.gen.json' with { type: 'json' }

const file: {
  readonly kubernetes: string
  readonly definitions: Readonly<Record<string, unknown>>
  readonly parameters: Readonly<Record<string, unknown>>
} = kubernetes

/** The Kubernetes version whose definitions these are. */
export const KUBERNETES_VERSION = file.kubernetes

export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** A definition that a `$ref` of a built-in schema names (`io.k8s.api.core.v1.Secret`). */
export function builtInDefinition(name: string): JsonObject | undefined {
  return Object.hasOwn(file.definitions, name) ? (file.definitions[name] as JsonObject) : undefined
}

/** The name of the definition of a built-in kind. */
export function builtInDefinitionName(group: string, version: string, kind: string): string | undefined {
  return namesByKind().get(`${group}/${version}/${kind}`)
}

/** The schema of a built-in kind, for `ResourceInfo.schema`. It has `$ref`s to other definitions. */
export function builtInSchema(group: string, version: string, kind: string): JsonObject | undefined {
  const name = builtInDefinitionName(group, version, kind)
  return name === undefined ? undefined : builtInDefinition(name)
}

let names: ReadonlyMap<string, string> | undefined

function namesByKind(): ReadonlyMap<string, string> {
  if (names) return names
  const found = new Map<string, string>()
  for (const [name, definition] of Object.entries(file.definitions)) {
    const kinds = (definition as JsonObject)['x-kubernetes-group-version-kind']
    if (!isArray(kinds)) continue
    for (const of of kinds) if (isObject(of)) found.set(`${text(of.group)}/${text(of.version)}/${text(of.kind)}`, name)
  }
  names = found
  return found
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A request parameter as OpenAPI v3 has it. `patch.` before its name where patches say something else of it. */
export function requestParameter(name: string): JsonObject {
  const parameter = file.parameters[name]
  if (parameter === undefined) throw new RangeError(`no parameter ${name}`)
  return parameter as JsonObject
}
