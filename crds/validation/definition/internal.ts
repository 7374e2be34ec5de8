import type { FieldError } from '../field-error.ts'
import { jsonEqual } from '../json.ts'
import type {
  Conversion,
  DefinitionNames,
  DefinitionSpec,
  DefinitionVersion,
  PrinterColumn,
  SelectableField,
  Subresources,
  VersionSchema,
} from './types.ts'

/**
 * A definition's spec as Kubernetes validates it: what is the same in all versions has moved up, which is why its errors speak
 * of `spec.validation` where people wrote `spec.versions[0].schema`.
 */
export interface InternalSpec {
  readonly group: string
  readonly names: DefinitionNames
  readonly scope: string
  /** The name of the first version. */
  readonly version: string
  readonly versions: readonly DefinitionVersion[]
  /** There is no list of versions, not even an empty one. */
  readonly noVersions: boolean
  readonly validation: VersionSchema | undefined
  readonly subresources: Subresources | undefined
  readonly additionalPrinterColumns: readonly PrinterColumn[]
  readonly selectableFields: readonly SelectableField[]
  readonly conversion: Conversion | undefined
  readonly preserveUnknownFields: boolean
}

export function internalSpec(spec: DefinitionSpec): InternalSpec {
  const versions = spec.versions ?? []
  const [first] = versions
  const same = (field: keyof DefinitionVersion): boolean =>
    versions.every((version) => jsonEqual(asJson(version[field]), asJson(first?.[field])))
  const up = { schema: same('schema'), subresources: same('subresources') }
  const columnsUp = same('additionalPrinterColumns')
  const selectableUp = same('selectableFields')
  return {
    group: spec.group,
    names: spec.names,
    scope: spec.scope,
    version: first?.name ?? '',
    noVersions: spec.versions === undefined,
    versions: versions.map((version) => {
      const { schema, subresources, additionalPrinterColumns, selectableFields, ...rest } = version
      return {
        ...rest,
        ...(schema && !up.schema ? { schema } : {}),
        ...(subresources && !up.subresources ? { subresources } : {}),
        ...(additionalPrinterColumns && !columnsUp ? { additionalPrinterColumns } : {}),
        ...(selectableFields && !selectableUp ? { selectableFields } : {}),
      }
    }),
    validation: up.schema ? first?.schema : undefined,
    subresources: up.subresources ? first?.subresources : undefined,
    additionalPrinterColumns: (columnsUp && first?.additionalPrinterColumns) || [],
    selectableFields: (selectableUp && first?.selectableFields) || [],
    conversion: spec.conversion,
    preserveUnknownFields: spec.preserveUnknownFields === true,
  }
}

/** All schemas of a spec. */
export function schemasOf(spec: InternalSpec): NonNullable<VersionSchema['openAPIV3Schema']>[] {
  return [spec.validation, ...spec.versions.map((version) => version.schema)].flatMap(
    (schema) => schema?.openAPIV3Schema ?? [],
  )
}

/** The steps of an error point into the definition as people write it; only its sentence keeps Kubernetes' names. */
export function asWritten(error: FieldError): FieldError {
  const steps = error.path.flatMap((step) => (typeof step === 'string' && isPair(step) ? step.split('.') : [step]))
  const [top, second, ...rest] = steps
  if (top !== 'spec') return { ...error, path: steps }
  const below = rest.map((step) => (step === 'JSONPath' ? 'jsonPath' : step))
  switch (second) {
    case 'validation':
      return { ...error, path: ['spec', 'versions', 0, 'schema', ...rest] }
    case 'version':
      return { ...error, path: ['spec', 'versions', 0, 'name'] }
    case 'subresources':
    case 'additionalPrinterColumns':
    case 'selectableFields':
      return { ...error, path: ['spec', 'versions', 0, second, ...below] }
    case 'versions':
      return { ...error, path: ['spec', 'versions', ...(rest[1] === 'schema' ? rest : below)] }
    case 'conversion':
      return { ...error, path: ['spec', 'conversion', ...asWrittenConversion(rest)] }
    default:
      return { ...error, path: steps }
  }
}

function asWrittenConversion([field, ...rest]: readonly (string | number)[]): (string | number)[] {
  if (field === 'webhookClientConfig') return ['webhook', 'clientConfig', ...rest]
  return field === undefined || field === 'strategy' ? [field ?? []].flat() : ['webhook', field, ...rest]
}

/** Kubernetes names some fields in pairs. */
function isPair(step: string): boolean {
  return /^(openAPIV3Schema\.(type|nullable)|schema\.openAPIV3Schema|scale\.\w+Path)$/.test(step)
}

function asJson(value: unknown): Parameters<typeof jsonEqual>[0] {
  return value as Parameters<typeof jsonEqual>[0]
}
