import { type ApiError, isNotFound } from '../../runtime/errors.ts'
import { type Connection, connect } from '../api/connect.ts'
import type { Discovery } from '../api/discovery.ts'
import { discovered, forgetDiscovery } from '../api/discovery-cache.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { AS_JSON, AS_TABLE } from '../api/request.ts'
import { knowsTypes, parseTargets } from '../api/targets.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { fileArguments, namesFiles } from '../manifests/named-files.ts'
import { type Format, parseFormat, printObjects } from '../output/format.ts'
import type { GetFlags } from './options.ts'
import { printTables } from './print-tables.ts'
import { objectsOf, type PlacedTarget, readTargets } from './read.ts'
import { sortBy } from './sort.ts'

/** `weir get`: kubectl's, to the byte. */
export async function runGet(io: Io, words: readonly string[], flags: GetFlags): Promise<ExitCode> {
  const format = parseFormat(flags.output)
  checkFlags(words, flags, format)
  const connection = await connect(io, flags)
  try {
    if (flags.raw !== undefined) return await getRaw(io, connection, flags.raw)
    const { targets, single } = await targetsOf(io, connection, words, flags)
    if (flags.watch || flags.watchOnly) {
      const { runWatch } = await import('./watch.ts')
      return await runWatch(io, connection, targets, flags, format)
    }
    return format.type === 'table'
      ? await getTables(io, connection, targets, flags, format.wide)
      : await getObjects(io, connection, targets, flags, format, single)
  } catch (error) {
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

function checkFlags(words: readonly string[], flags: GetFlags, format: Format): void {
  if (words.length === 0 && !namesFiles(flags) && flags.raw === undefined) {
    throw usageError(
      'you must specify the type of resource to get, such as `weir get sites`; `weir explain` lists Weir’s own',
    )
  }
  if (flags.raw !== undefined && words.length > 0)
    throw usageError('arguments may not be passed when --raw is specified')
  if (flags.showLabels && format.type !== 'table')
    throw usageError(`--show-labels option cannot be used with ${format.type} printer`)
  if (flags.outputWatchEvents && !flags.watch && !flags.watchOnly) {
    throw usageError('--output-watch-events option can only be used with --watch or --watch-only')
  }
  if (flags.chunkSize !== undefined && !/^\d+$/.test(flags.chunkSize))
    throw usageError(`--chunk-size ${flags.chunkSize} is not a number`)
}

async function getRaw(io: Io, { client }: Connection, path: string): Promise<ExitCode> {
  if (!path.startsWith('/')) throw usageError('--raw must be a path, such as /version')
  // As the server wrote it.
  const { body } = await client.bytes(path, { signal: io.interrupted })
  await io.out(body.toString('utf8'))
  return ExitCode.ok
}

async function targetsOf(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: GetFlags,
): Promise<{ targets: readonly PlacedTarget[]; single: boolean }> {
  if (!namesFiles(flags)) {
    const discovery = await discovered(connection, io.interrupted, (kept) => knowsTypes(kept, words))
    const found = parseTargets(discovery, words, {
      allNamespaces: flags.allNamespaces ?? false,
      selected: Boolean(flags.selector || flags.fieldSelector),
      allowCollections: true,
    })
    if (flags.subresource !== undefined && found.targets.some(({ type }) => type === 'collection'))
      throw usageError('subresource cannot be used when bulk resources are specified')
    return found
  }
  if (words.length > 0)
    throw usageError('when paths are provided as input, you may not specify resource arguments as well')
  const { loadManifests } = await import('../manifests/manifest.ts')
  const { manifestError } = await import('../manifests/problem.ts')
  const { manifests, problems } = await loadManifests(fileArguments(io, [], flags))
  const unknownTo = (discovery: Discovery) =>
    manifests.filter(({ object }) => !resourceOfKind(discovery, object.apiVersion, object.kind))
  const discovery = await discovered(connection, io.interrupted, (kept) => unknownTo(kept).length === 0)
  const unknown = unknownTo(discovery)
  const unserved = unknown.map((m) =>
    m.problem(
      'unknown-kind',
      ['kind'],
      'value',
      `the server has no kind "${m.object.kind}" of "${m.object.apiVersion}"`,
    ),
  )
  if (problems.length + unserved.length > 0) throw manifestError([...problems, ...unserved])
  const targets = manifests.map(({ object }): PlacedTarget => {
    const { name, namespace } = object.metadata
    const resource = resourceOfKind(discovery, object.apiVersion, object.kind)!
    return { type: 'object', resource, name: name!, ...(namespace === undefined ? {} : { namespace }) }
  })
  return { targets, single: targets.length === 1 }
}

async function getTables(
  io: Io,
  connection: Connection,
  targets: readonly PlacedTarget[],
  flags: GetFlags,
  wide: boolean,
): Promise<ExitCode> {
  const { answers, errors } = await readTargets(
    connection,
    targets,
    flags,
    flags.serverPrint === 'false' ? AS_JSON : AS_TABLE,
    io.interrupted,
  )
  if (errors.some(isNoSuchPath)) await forgetDiscovery(connection)
  const text = printTables(answers, flags, wide)
  await io.out(text)
  if (text === '' && errors.length === 0 && !flags.ignoreNotFound) {
    const everywhere = flags.allNamespaces || answers.some(({ resource }) => !resource.namespaced)
    io.err(everywhere ? 'No resources found\n' : `No resources found in ${connection.namespace} namespace.\n`)
  }
  return report(errors)
}

async function getObjects(
  io: Io,
  connection: Connection,
  targets: readonly PlacedTarget[],
  flags: GetFlags,
  format: Exclude<Format, { type: 'table' }>,
  single: boolean,
): Promise<ExitCode> {
  const { answers, errors } = await readTargets(connection, targets, flags, AS_JSON, io.interrupted)
  if (errors.some(isNoSuchPath)) await forgetDiscovery(connection)
  const found = objectsOf(answers)
  const objects = flags.sortBy === undefined ? found : sortBy(found, flags.sortBy, (object) => object)
  const nothing = objects.length === 0 && (flags.ignoreNotFound || (single && errors.length > 0))
  if (!nothing) {
    await io.out(
      printObjects(format, objects, single, {
        noHeaders: flags.headers === false,
        showManagedFields: flags.showManagedFields ?? false,
      }),
    )
  }
  return report(errors)
}

/** Not an object is missing but its type: the server no longer serves what it did when it was asked what it serves. */
const isNoSuchPath = (error: unknown) => isNotFound(error) && !(error as ApiError).details?.name

/** Every failure on a line of its own, each once; the command then ends with the code for an API error. */
function report(errors: readonly unknown[]): ExitCode {
  if (errors.length === 0) return ExitCode.ok
  const other = errors.find((error) => requestFailure(error) === error)
  if (other) throw other
  const lines = new Set(errors.map(describeFailure))
  throw new CliError(ExitCode.api, `${[...lines].join('\n')}\n`, { raw: true })
}
