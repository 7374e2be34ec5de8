import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { JsonObject } from '../../crds/metadata.ts'

/** The part of JSON Schema that CRDs may use, as far as the generator reads it. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly pattern?: string
  readonly default?: unknown
  readonly example?: unknown
  readonly enum?: readonly string[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly minimum?: number
  readonly exclusiveMinimum?: boolean
  readonly maximum?: number
  readonly exclusiveMaximum?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly nullable?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[]
}

export interface Column {
  readonly name: string
  readonly type: string
  readonly jsonPath: string
  readonly description?: string
  readonly priority?: number
}

/** A CustomResourceDefinition of one version, as Weir's are written. */
export interface Crd {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: 'Namespaced' | 'Cluster'
    readonly names: {
      readonly kind: string
      readonly listKind: string
      readonly plural: string
      readonly singular: string
      readonly shortNames: readonly string[]
      readonly categories: readonly string[]
    }
    readonly versions: readonly [
      {
        readonly name: string
        readonly additionalPrinterColumns: readonly Column[]
        readonly schema: { readonly openAPIV3Schema: Schema }
      },
    ]
  }
}

/** One CRD: where it is written, as generators read it, and whole. */
export interface CrdFile {
  readonly file: string
  readonly crd: Crd
  readonly json: JsonObject
}

/** Reads `crds/*.yaml`, sorted by the CRDs' names. Throws on malformed YAML and on a file that is not named after its CRD. */
export function readCrds(root: string): readonly CrdFile[] {
  const files = readdirSync(join(root, 'crds')).filter((file) => file.endsWith('.yaml'))
  return files
    .map((file) => {
      const document = parseDocument(readFileSync(join(root, 'crds', file), 'utf8'))
      const problem = document.errors[0] ?? document.warnings[0]
      if (problem) throw new Error(`crds/${file}: ${problem.message}`)
      const json = document.toJS() as JsonObject
      const crd = json as unknown as Crd
      const wanted = `${crd.spec.group}_${crd.spec.names.plural}.yaml`
      if (file !== wanted) throw new Error(`crds/${file}: must be named ${wanted}`)
      return { file, crd, json }
    })
    .sort((a, b) => (a.crd.metadata.name < b.crd.metadata.name ? -1 : 1))
}
