import type { JsonValue } from '../../crds/metadata.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import type { Change } from '../changes/change.ts'
import type { Place } from '../manifests/source-text.ts'
import { placeText } from '../manifests/source-text.ts'
import type { PlannedChange, Summary } from './document.ts'
import type { Deletion, PlannedWork } from './examine.ts'
import type { Imagined } from './what-if.ts'

/** What becomes of the objects, for people and programs, and how many of each. No secret is in it. */
export function changesText({ changes, deletions, imagined = [] }: PlannedWork): {
  readonly summary: Summary
  readonly changes: PlannedChange[]
} {
  const told = changes.filter(({ action }) => action !== 'unchanged').map(tellChange)
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  const supposed = (action: PlannedChange['action']) => imagined.filter((each) => each.action === action).length
  return {
    summary: {
      add: count('create') + supposed('add'),
      change: count('update') + supposed('change'),
      delete: deletions.length + supposed('delete'),
      unchanged: count('unchanged'),
    },
    changes: [...told, ...deletions.map(tellDeletion), ...imagined.map(tellImagined)],
  }
}

function tellChange({ action, resolved, fields }: Change): PlannedChange {
  const { apiVersion, kind, metadata } = resolved.object
  return {
    action: action === 'create' ? 'add' : 'change',
    apiVersion,
    objectKind: kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
    fields:
      action === 'create'
        ? []
        : fields
            .filter((field) => field.class === 'yours')
            .map(({ path, before, after, place }) => ({
              path,
              before: shown(before),
              after: shown(after),
              ...(place === undefined ? {} : { place: placed(place) }),
            })),
    place: placed(resolved.manifest.place),
  }
}

function tellImagined({ action, object, before }: Imagined): PlannedChange {
  const { apiVersion, kind, metadata } = object
  const classOf = (body: Imagined['object']) => (body as unknown as Appliance).spec.hardwareClassRef.name
  return {
    action,
    apiVersion,
    objectKind: kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
    fields: before ? [{ path: 'spec.hardwareClassRef.name', before: classOf(before), after: classOf(object) }] : [],
    reason: action === 'add' ? `what if: of class ${classOf(object)}` : 'what if',
  }
}

function tellDeletion({ object, reason, resolved }: Deletion): PlannedChange {
  const { apiVersion, kind, metadata } = object
  return {
    action: 'delete',
    apiVersion,
    objectKind: kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
    fields: [],
    ...(resolved ? { place: placed(resolved.manifest.place) } : {}),
    ...(reason === undefined ? {} : { reason }),
  }
}

const placed = (place: Place) => placeText(place)

/** A value as it may be shown: of addresses, no password. */
function shown(value: JsonValue | undefined): JsonValue | null {
  if (value === undefined) return null
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? withoutPassword(part) : part)),
  )
}

export const withoutPassword = (text: string) => text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@')
