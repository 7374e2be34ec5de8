import type { Condition, JsonObject, KubeObject } from '../../crds/metadata.ts'
import { usageError } from '../exit.ts'
import type { Verdict } from '../health/follow.ts'
import { relaxedJsonPath } from '../output/custom-columns.ts'
import { compileJsonPath } from '../output/jsonpath/evaluate.ts'
import { JsonPathError } from '../output/jsonpath/node.ts'
import { sprint } from '../output/table.ts'

type Body = KubeObject & JsonObject

/** What `--for` waits for. */
export interface Goal {
  readonly type: 'create' | 'delete' | 'state'
  judge(object: Body | undefined): Verdict
}

const pending = (message: string): Verdict => ({ type: 'pending', message })
const MET: Verdict = { type: 'met' }

/** Several goals as one: all have to be met. Of objects that are to be created nothing else is asked before they are. */
export function allOf(goals: readonly Goal[]): Goal['judge'] {
  const creates = goals.some(({ type }) => type === 'create')
  return (object) => {
    if (!object && creates) return pending('it is not there yet')
    const verdicts = goals.map((goal) => goal.judge(object))
    return verdicts.find(({ type }) => type === 'failed') ?? verdicts.find(({ type }) => type === 'pending') ?? MET
  }
}

/** Reads `--for`. Throws a usage error. */
export function parseGoal(text: string): Goal {
  if (text.toLowerCase() === 'delete') {
    return { type: 'delete', judge: (object) => (object ? pending('it is still there') : MET) }
  }
  if (text.toLowerCase() === 'create')
    return { type: 'create', judge: (object) => (object ? MET : pending('it is not there yet')) }
  const condition = /^condition=([^=]+)(?:=(.*))?$/s.exec(text)
  if (condition) return conditionGoal(condition[1]!, condition[2] ?? 'true')
  if (text.startsWith('jsonpath=')) return jsonPathGoal(text.slice('jsonpath='.length))
  throw usageError(
    `unrecognized condition: "${text}"; write condition=TYPE[=VALUE], jsonpath=PATH[=VALUE], delete or create`,
  )
}

function conditionGoal(type: string, wanted: string): Goal {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  return {
    type: 'state',
    judge(object) {
      if (!object) return { type: 'failed', message: 'it has been deleted' }
      const { conditions = [] } = (object.status ?? {}) as { conditions?: readonly Condition[] }
      const found = conditions.find((c) => same(c.type, type))
      if (found && isCurrent(found, object) && same(found.status, wanted)) return MET
      if (same(type, 'Stalled')) return pending('')
      return (
        stalled(conditions, object) ??
        pending(
          found ? `${found.type}=${found.status} ${found.reason}: ${found.message}` : `it has no condition ${type}`,
        )
      )
    },
  }
}

/** A condition that speaks of an older spec says nothing of this one. */
function isCurrent(condition: Condition, object: Body): boolean {
  const { generation } = object.metadata
  const seen =
    condition.observedGeneration ??
    ((object.status as JsonObject | undefined)?.observedGeneration as number | undefined)
  return seen === undefined || generation === undefined || seen >= generation
}

function stalled(conditions: readonly Condition[], object: Body): Verdict | undefined {
  const found = conditions.find((c) => c.type === 'Stalled' && c.status === 'True' && isCurrent(c, object))
  return found && { type: 'failed', message: `it is stalled: ${found.reason}: ${found.message}` }
}

function jsonPathGoal(text: string): Goal {
  const { path, value } = splitJsonPath(text)
  const compiled = wrongPath(() => compileJsonPath(relaxedJsonPath(path), { allowMissingKeys: true }))
  return {
    type: 'state',
    judge(object) {
      if (!object) return { type: 'failed', message: 'it has been deleted' }
      const found = wrongPath(() => compiled.find(object).flat())
      if (found.length > 1)
        throw usageError(`the JSONPath ${path} matches ${found.length} values; only one can be waited for`)
      if (found.length === 1 && typeof found[0] === 'object' && found[0] !== null && value !== undefined) {
        throw usageError(`the JSONPath ${path} leads to a list or a map; only single values can be compared`)
      }
      if (found.length === 1 && (value === undefined || sprint(found[0]) === value)) return MET
      const { conditions = [] } = (object.status ?? {}) as { conditions?: readonly Condition[] }
      return (
        stalled(conditions, object) ??
        pending(found.length === 0 ? `it has no ${path}` : `${path} is ${sprint(found[0])}`)
      )
    },
  }
}

/** `{.status.phase}=Ready`, `.status.phase=Ready`, or a path alone. An `=` inside the braces belongs to the path. */
function splitJsonPath(text: string): { readonly path: string; readonly value?: string } {
  const match = /^(\{.*\}|[^{}=]+)(?:=(.*))?$/s.exec(text)
  if (!match || match[2] === '') throw usageError(`jsonpath wait condition must be PATH or PATH=VALUE, not "${text}"`)
  const [, path = '', value] = match
  if (value === undefined) return { path }
  return { path, value: value.replace(/^(['"])(.*)\1$/s, '$2') }
}

function wrongPath<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof JsonPathError) throw usageError(`error parsing jsonpath: ${error.message}`)
    throw error
  }
}
