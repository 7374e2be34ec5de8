import { badRequest } from '../api-error.ts'
import type { ApiObject } from '../json.ts'
import { fieldsMatch, parseFieldSelector, requiredValue } from '../selectors/field-selector.ts'
import { parseLabelSelector, SelectorError } from '../selectors/label-selector.ts'
import type { Served } from '../served.ts'

/** Which objects of a collection a request is about. */
export interface ObjectFilter {
  /** False where everything matches. */
  readonly selective: boolean
  /** The one name that can match, where the selector pins it. */
  readonly name: string | undefined
  /** Equal filters over one collection have equal sources. */
  readonly source: string
  matches(object: ApiObject): boolean
}

/** Parses both selectors of a request. Throws 400. */
export function parseSelectors(served: Served, labelSelector: string, fieldSelector: string): ObjectFilter {
  if (labelSelector === '' && fieldSelector === '') return all
  try {
    const labels = parseLabelSelector(labelSelector)
    const fields = parseFieldSelector(fieldSelector)
    for (const { field } of fields.terms) {
      const wrong = served.strategy.fieldSelectorError(field)
      if (wrong) throw badRequest(wrong)
    }
    const { strategy } = served
    return {
      name: requiredValue(fields, 'metadata.name'),
      selective: labels.source !== '' || fields.source !== '',
      source: `${labels.source}|${fields.source}`,
      matches: (object) =>
        labels.matches(object.metadata.labels) &&
        fieldsMatch(fields, (field) => strategy.selectableField(object, field) ?? ''),
    }
  } catch (err) {
    if (err instanceof SelectorError) throw badRequest(err.message)
    throw err
  }
}

const all: ObjectFilter = { selective: false, name: undefined, source: '', matches: () => true }
