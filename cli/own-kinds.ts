import type { KindInfo } from '../crds/kind.ts'
import type { JsonObject } from '../crds/metadata.ts'
import { registry } from '../crds/registry.gen.ts'
import { usageError } from './exit.ts'
import { didYouMean } from './manifests/suggest.ts'

/** Weir's kind of that name, as kubectl understands names: kind, singular, plural or short name, with or without version and group. */
export function ownKind(word: string): KindInfo | undefined {
  return Object.values<KindInfo>(registry).find((kind) => isNamed(kind, word))
}

export function isNamed({ plural, singular, shortNames, kind, group, version }: KindInfo, word: string): boolean {
  const lower = word.toLowerCase()
  const plain = [plural, singular, kind.toLowerCase(), ...shortNames]
  return plain.some((name) => lower === name || lower === `${name}.${group}` || lower === `${name}.${version}.${group}`)
}

/** The same; throws a usage error with a suggestion where Weir has no such kind. */
export function requiredOwnKind(word: string): KindInfo {
  const found = ownKind(word)
  if (found) return found
  const names = Object.values<KindInfo>(registry).flatMap(({ singular, plural, kind, shortNames }) => [
    singular,
    plural,
    kind,
    ...shortNames,
  ])
  throw usageError(`Weir has no kind "${word}"${didYouMean(word, names)}`)
}

/** The schema of a kind of Weir's, as its definition has it. */
export async function ownSchema(kind: KindInfo): Promise<JsonObject> {
  const crd = await kind.loadCrd()
  const { versions = [] } = crd.spec as {
    versions?: readonly { readonly name?: string; readonly schema?: { readonly openAPIV3Schema?: JsonObject } }[]
  }
  return versions.find(({ name }) => name === kind.version)?.schema?.openAPIV3Schema ?? {}
}
