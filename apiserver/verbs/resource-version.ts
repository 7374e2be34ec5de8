import { badRequest, invalid, resourceVersionTooLarge } from '../api-error.ts'
import type { Store } from '../storage/store.ts'

/** The revision a client names; 0 for '' and "0". Throws 400. */
export function parseResourceVersion(text: string): number {
  if (text === '' || text === '0') return 0
  if (!/^\d{1,15}$/.test(text)) {
    throw invalid({ group: '', kind: 'ListOptions' }, '', [
      {
        reason: 'FieldValueInvalid',
        field: 'resourceVersion',
        path: ['resourceVersion'],
        message: `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
      },
    ])
  }
  return Number(text)
}

/** The revision that an object claims to be; 0 when it claims none. */
export function objectRevision(text: string | undefined): number {
  if (text === undefined || text === '' || text === '0') return 0
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`invalid resource version ${JSON.stringify(text)}`)
  return Number(text)
}

/** Refuses a read that wants a state which has not been yet. */
export function checkNotFuture(store: Store, revision: number): void {
  if (revision > store.revision) throw resourceVersionTooLarge(revision, store.revision)
}
