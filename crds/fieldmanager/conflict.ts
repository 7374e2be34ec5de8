import { eachField, type FieldSet } from './field-set.ts'
import { goQuote } from './go-print.ts'
import type { ManagerId } from './managed.ts'
import { printPath } from './path-element.ts'
import type { ApplyResult, FieldConflict } from './request.ts'
import { compareStrings } from './value.ts'

/** The answer to an apply that would change fields of others, in Kubernetes' words. */
export function conflictResult(conflicts: ReadonlyMap<string, FieldSet>): ApplyResult {
  const listed: FieldConflict[] = []
  const lines: string[] = []
  for (const key of [...conflicts.keys()].sort(compareStrings)) {
    const name = printManager(JSON.parse(key) as Partial<ManagerId>)
    const fields: string[] = []
    eachField(conflicts.get(key) as FieldSet, (path) => fields.push(printPath(path)))
    listed.push(...fields.map((field) => ({ field, message: `conflict with ${name}` })))
    lines.push(`conflicts with ${name}:`, ...fields.map((field) => `- ${field}`))
  }
  const only = listed.length === 1 ? listed[0] : undefined
  const message = only
    ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
    : `Apply failed with ${listed.length} conflicts: ${lines.join('\n')}`
  return { outcome: 'conflict', message, conflicts: listed }
}

function printManager(id: Partial<ManagerId>): string {
  const name = `${goQuote(id.manager ?? '')}${id.subresource ? ` with subresource ${goQuote(id.subresource)}` : ''}`
  return id.operation === 'Update' ? `${name} using ${id.apiVersion}` : name
}
