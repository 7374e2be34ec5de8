import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { ApiError, type StatusCause } from '../../runtime/errors.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { CliError, ExitCode } from '../exit.ts'
import { fieldSteps } from '../manifests/field-path.ts'
import { manifestError, type Problem, renderProblem } from '../manifests/problem.ts'
import { visible } from '../output/escape.ts'
import { objectName } from '../output/format.ts'
import type { Body } from './change.ts'
import { isSecret } from './mask.ts'
import { maskProblems, maskText } from './mask-problems.ts'
import type { Resolved } from './resolve.ts'

/** A field that another manager owns with another value. */
export interface Conflict {
  /** As the server writes it: `.spec.mode`. */
  readonly field: string
  readonly message: string
}

/** The conflicts of a refused server-side apply; none when it was refused for another reason. */
export function conflictsOf(error: unknown): readonly Conflict[] {
  if (!(error instanceof ApiError) || error.code !== 409) return []
  return error.causes
    .filter(
      (cause): cause is StatusCause & { field: string } =>
        cause.reason === 'FieldManagerConflict' && cause.field !== undefined,
    )
    .map(({ field, message = '' }) => ({ field, message }))
}

/** Whether a field is one of those that may be taken over, or inside one. */
export function mayTake(field: string, taken: readonly string[]): boolean {
  return taken.some((path) => {
    const named = path.startsWith('.') ? path : `.${path}`
    return field === named || (field.startsWith(named) && /^[.[]/.test(field.slice(named.length)))
  })
}

/** Ends the command with exit code 4, saying for every field who owns it since when, with which value, and where the manifest sets it. */
export function conflictError(
  found: readonly { readonly resolved: Resolved; readonly before?: Body; readonly conflicts: readonly Conflict[] }[],
  so: string,
): CliError {
  const problems = found.flatMap(({ resolved, before, conflicts }) =>
    conflicts.map(({ field, message }) => {
      const said = `${objectName(resolved.object)}: ${message}${whoAndWhat(resolved.object, before, field, message)}`
      return resolved.manifest.problem('invalid', fieldSteps(resolved.object, field), 'key', said, field)
    }),
  )
  const manifests = found.map(({ resolved }) => resolved.manifest)
  const lines = maskProblems(problems, manifests).map(renderProblem)
  const fields = [...new Set(found.flatMap(({ conflicts }) => conflicts.map(({ field }) => field)))]
  const [count, them] = fields.length === 1 ? ['a field is', 'it'] : [`${fields.length} fields are`, 'them']
  const flags = fields.map((field) => `--force-conflicts=${/[[\]="]/.test(field) ? `'${field}'` : field}`).join(' ')
  return new CliError(
    ExitCode.conflict,
    `${lines.join('')}error: ${count} owned by somebody else${so}. Leave ${them} out of the manifests, or take ${them} over with ${visible(flags)}\n`,
    { raw: true },
  )
}

/** Longer values are cut off in messages. */
const SHOWN_VALUE = 60

/** When the owner last wrote its fields, and both values: `, who applied it at 2026-11-21T14:50:41Z: "theirs", where yours is "ours"`. */
function whoAndWhat(object: Body, before: Body | undefined, field: string, message: string): string {
  if (!before) return ''
  const manager = /^conflict with "((?:[^"\\]|\\.)*)"/.exec(message)?.[1]
  const entry = before.metadata.managedFields?.find(
    (each) => each.manager === manager && each.subresource === undefined && each.time !== undefined,
  )
  const when = entry ? `, who ${entry.operation === 'Apply' ? 'applied' : 'updated'} it at ${entry.time}` : ''
  if (isSecret(before)) return when
  const [theirs, ours] = [before, object].map((each) => valueText(valueAt(each, field)))
  return `${when}: ${theirs}, where yours is ${ours}`
}

function valueAt(object: Body, field: string): JsonValue | undefined {
  let value: JsonValue | undefined = object
  for (const step of fieldSteps(object, field))
    value = (Object(value) as Record<string | number, JsonValue | undefined>)[step]
  return value
}

function valueText(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE)}…` : text
}

/**
 * What the server has against an object, at the places in its file; none when the refusal is not about the object (no permission, say).
 */
export function refusedFields({ manifest }: Resolved, error: unknown): Problem[] {
  if (!(error instanceof ApiError)) return []
  if (error.code === 422) return invalidFields(manifest, error)
  if (error.code !== 400 && error.code !== 500) return []
  const unknown = [...error.message.matchAll(/unknown field "((?:[^"\\]|\\.)+)"/g)].map((match) =>
    manifest.problem('unknown-field', fieldSteps(manifest.object, match[1]!), 'key', 'unknown field', match[1]!),
  )
  // `.spec.x: field not declared in schema`, `.spec.y: expected list, got …`: how server-side apply words what does not fit.
  const typed = [
    ...error.message.matchAll(
      /(?:^|\s)(\.[^\s:]+(?:\[[^\]]*\][^\s:]*)*): ((?:field not declared in schema|expected |duplicate entries ).*)$/gm,
    ),
  ].map((match) =>
    manifest.problem('invalid', fieldSteps(manifest.object, match[1]!), 'key', match[2]!, match[1]!.slice(1)),
  )
  if (unknown.length + typed.length > 0) return [...unknown, ...typed]
  return error.code === 400 ? [manifest.problem('invalid', [], 'value', error.message)] : []
}

function invalidFields(manifest: Resolved['manifest'], error: ApiError): Problem[] {
  const causes = error.causes.filter(({ field }) => field !== undefined && field !== '<nil>')
  if (causes.length === 0) return [manifest.problem('invalid', [], 'value', error.message)]
  return causes.map(({ field = '', message = '', reason }) =>
    manifest.problem(
      'invalid',
      fieldSteps(manifest.object as JsonObject, field),
      reason === 'FieldValueRequired' ? 'key' : 'value',
      message,
      field,
    ),
  )
}

/** An object that the server did not take. */
export interface Refused {
  readonly resolved: Resolved
  readonly error: unknown
  /** The object as it is, where there is one and it was read. */
  readonly before?: Body
}

/** One error for all that was refused: exit code 2 for what the files get wrong, with places; 4 for conflicts; 3 for the rest; and `so`, what that means. */
export function refusal(refused: readonly Refused[], so: string): unknown {
  const bug = refused.find(({ error }) => requestFailure(error) === error)
  if (bug) return bug.error
  const problems = refused.flatMap(({ resolved, error }) => refusedFields(resolved, error))
  const manifests = refused.map(({ resolved }) => resolved.manifest)
  if (problems.length > 0) return manifestError(maskProblems(problems, manifests), so)
  const conflicts = refused
    .map((each) => ({ ...each, conflicts: conflictsOf(each.error) }))
    .filter((found) => found.conflicts.length > 0)
  const others = refused.filter(({ error }) => conflictsOf(error).length === 0)
  if (others.length === 0) return conflictError(conflicts, so)
  const lines = new Set(others.map(({ error }) => maskText(describeFailure(error), manifests)))
  const end = so === '' ? '' : `error: ${so.replace(/^; /, '')}\n`
  return new CliError(ExitCode.api, `${[...lines].join('\n')}\n${end}`, { raw: true })
}
