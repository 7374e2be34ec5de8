import type { JsonObject } from '../../metadata.ts'
import { invalid, required } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, key, type Path } from '../field-path.ts'
import { parseRequestUri } from '../formats/url.ts'
import { goQuote } from '../go-format.ts'
import { object, text } from '../json.ts'
import { dns1035Label } from '../names.ts'
import type { DefinitionNames } from './types.ts'

/** What is wrong with the names of a kind; which of them are required is told elsewhere. */
export function namesErrors(names: DefinitionNames, path: Path): FieldError[] {
  const { singular = '', listKind = '', kind, plural } = names
  const label = (field: string, value: string): FieldError[] => labelErrors(value, child(path, field))
  const mixed = (field: string, value: string): FieldError[] => {
    const problems = value === '' ? [] : dns1035Label(value.toLowerCase())
    if (problems.length === 0) return []
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    return [invalid(child(path, field), value, detail)]
  }
  const errors = [...label('plural', plural), ...label('singular', singular)]
  errors.push(...mixed('kind', kind), ...mixed('listKind', listKind))
  errors.push(...(names.shortNames ?? []).flatMap((name, i) => nameErrors(name, index(child(path, 'shortNames'), i))))
  if (kind !== '' && kind === listKind) {
    errors.push(invalid(child(path, 'listKind'), listKind, 'kind and listKind may not be the same'))
  }
  errors.push(...(names.categories ?? []).flatMap((name, i) => nameErrors(name, index(child(path, 'categories'), i))))
  return errors
}

/** An absent name is right. */
export function labelErrors(value: string, path: Path): FieldError[] {
  return value === '' ? [] : nameErrors(value, path)
}

/** A DNS-1035 label, all that is wrong with it in one sentence. */
export function nameErrors(value: string, path: Path): FieldError[] {
  const problems = dns1035Label(value)
  return problems.length === 0 ? [] : [invalid(path, value, problems.join(','))]
}

const APPROVED = 'api-approved.kubernetes.io'
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** Groups of the Kubernetes project need its approval. One that was missing before an update may go on missing. */
export function approvalErrors(group: string, metadata: JsonObject, old: JsonObject | undefined): FieldError[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return []
  const approval = approvalOf(metadata)
  if (old && approvalOf(old) === approval) return []
  const path = key(child(child(undefined, 'metadata'), 'annotations'), APPROVED)
  const must = `protected groups must have approval annotation ${goQuote(APPROVED)}`
  if (approval === 'missing') return [required(path, `${must}, ${SEE}`)]
  if (approval !== 'invalid') return []
  const detail = `${must} with either a URL or a reason starting with "unapproved", ${SEE}`
  return [invalid(path, text(object(metadata.annotations)[APPROVED]), detail)]
}

function approvalOf(metadata: JsonObject): 'missing' | 'bypassed' | 'approved' | 'invalid' {
  const annotation = text(object(metadata.annotations)[APPROVED])
  if (annotation === '') return 'missing'
  if (annotation.startsWith('unapproved')) return 'bypassed'
  const uri = parseRequestUri(annotation)
  return uri.ok && uri.url.host !== '' && uri.url.scheme !== '' ? 'approved' : 'invalid'
}
