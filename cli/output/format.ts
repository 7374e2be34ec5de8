import { readFileSync } from 'node:fs'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import { closest } from '../manifests/suggest.ts'
import { parseColumns, parseColumnsFile, printColumns } from './custom-columns.ts'
import { printJson } from './json.ts'
import { compileJsonPath, type JsonPath } from './jsonpath/evaluate.ts'
import { JsonPathError } from './jsonpath/node.ts'
import { printYaml } from './yaml.ts'

/** What `-o` asks for. */
export type Format =
  | { readonly type: 'table'; readonly wide: boolean }
  | { readonly type: 'json' | 'yaml' | 'name' }
  | { readonly type: 'jsonpath'; readonly path: JsonPath; readonly asJson: boolean }
  | { readonly type: 'columns'; readonly columns: ReturnType<typeof parseColumns> }

const FORMATS = [
  'json',
  'yaml',
  'name',
  'wide',
  'jsonpath',
  'jsonpath-file',
  'jsonpath-as-json',
  'custom-columns',
  'custom-columns-file',
]

/** Reads the value of `-o`. Throws a usage error. */
export function parseFormat(output: string | undefined): Format {
  if (output === undefined || output === '' || output === 'wide') return { type: 'table', wide: output === 'wide' }
  if (output === 'json' || output === 'yaml' || output === 'name') return { type: output }
  const equals = output.indexOf('=')
  const name = equals < 0 ? output : output.slice(0, equals)
  const argument = equals < 0 ? '' : output.slice(equals + 1)
  if (name.startsWith('jsonpath') && FORMATS.includes(name)) return jsonPathFormat(name, argument)
  if (name === 'custom-columns') return { type: 'columns', columns: guarded(() => parseColumns(argument)) }
  if (name === 'custom-columns-file')
    return { type: 'columns', columns: guarded(() => parseColumnsFile(readTemplate(argument))) }
  if (/^(?:go-)?template(?:-?file)?$/.test(name))
    throw usageError(
      `-o ${name} is not there, as it takes Go: jsonpath has ranges and filters (-o jsonpath='{range .items[*]}{.metadata.name}{"\\n"}{end}'), custom-columns are tables (-o custom-columns=NAME:.metadata.name,SITE:.spec.siteRef.name), and -o json goes to any other program`,
    )
  const like = closest(name, FORMATS)
  throw usageError(
    `unable to match a printer suitable for the output format "${output}", allowed formats are: ${FORMATS.join(', ')}${like ? `; did you mean "${like}"?` : ''}`,
  )
}

function jsonPathFormat(name: string, argument: string): Format {
  const template = name === 'jsonpath-file' ? readTemplate(argument) : argument
  if (template === '') throw usageError(`template format specified but no template given`)
  const asJson = name === 'jsonpath-as-json'
  return {
    type: 'jsonpath',
    asJson,
    path: guarded(() => compileJsonPath(template, { allowMissingKeys: true }), `parsing jsonpath ${template},`),
  }
}

function readTemplate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`error reading template ${path}: ${(error as Error).message}`)
  }
}

/** A template that cannot be parsed, or does not fit the data, is an error of whoever wrote it. */
function guarded<T>(work: () => T, doing = 'parsing jsonpath:'): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof JsonPathError)
      throw new CliError(ExitCode.usage, `error ${doing} ${error.message}`, { cause: error })
    throw error
  }
}

export interface PrintOptions {
  readonly noHeaders?: boolean
  readonly showManagedFields?: boolean
}

type Printable = KubeObject & JsonObject

/** Prints objects in a format other than a table. `single`: the object itself, not a List of it. */
export function printObjects(
  format: Exclude<Format, { type: 'table' }>,
  objects: readonly Printable[],
  single: boolean,
  options: PrintOptions = {},
): string {
  const whole = single && objects.length === 1 ? objects[0]! : listOf(objects)
  switch (format.type) {
    case 'json':
      return `${printJson(options.showManagedFields ? whole : withoutManagedFields(whole))}\n`
    case 'yaml':
      return printYaml(options.showManagedFields ? whole : withoutManagedFields(whole))
    case 'name':
      return objects.map((object) => `${objectName(object)}\n`).join('')
    case 'jsonpath':
      return guarded(
        () => (format.asJson ? `${printJson(format.path.find(whole).flat())}\n` : format.path.print(whole)),
        'executing jsonpath:',
      )
    case 'columns':
      return guarded(() => printColumns(format.columns, objects, options.noHeaders ?? false), 'executing jsonpath:')
  }
}

function listOf(items: readonly Printable[]): JsonObject {
  return { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } }
}

/** `appliance.fleet.weir.dev/fra1-a`. */
export function objectName({ apiVersion, kind, metadata }: KubeObject): string {
  const slash = apiVersion.indexOf('/')
  return `${kind.toLowerCase()}${slash < 0 ? '' : `.${apiVersion.slice(0, slash)}`}/${metadata.name}`
}

/** managedFields are for machines; kubectl leaves them out too, unless asked. */
function withoutManagedFields(object: JsonObject): JsonObject {
  if (Array.isArray(object.items))
    return { ...object, items: object.items.map((item) => withoutManagedFields(item as JsonObject)) }
  const metadata = object.metadata as JsonObject | undefined
  if (!metadata?.managedFields) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}
