import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { FieldChange } from '../changes/change.ts'
import type { Place } from '../manifests/source-text.ts'
import type { Entry, Report } from './report.ts'

/** The report for programs: `-o json` and `-o yaml`. Additions to it are no break. */
export function diffDocument({ entries, kept, unchanged }: Report): JsonObject {
  const count = (action: Entry['action']) => entries.filter((entry) => entry.action === action).length
  return {
    apiVersion: 'cli.weir.dev/v1alpha1',
    kind: 'Diff',
    summary: {
      create: count('create'),
      update: count('update'),
      prune: count('prune'),
      unchanged,
      orphansKept: kept.length,
    },
    changes: entries.map(({ action, apiVersion, kind, namespace, name, place, source, before, after, fields }) => ({
      action,
      object: { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name },
      ...(place ? { manifest: placeObject(place) } : {}),
      source,
      fields: fields.map(fieldObject),
      before: before ?? null,
      after: after ?? null,
    })),
    orphansKept: kept.map(({ apiVersion, kind, namespace, name, reason }) => ({
      object: { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name },
      reason,
    })),
  }
}

function fieldObject({ path, before, after, class: of, manager, place }: FieldChange): JsonObject {
  return {
    path,
    class: of,
    ...(manager === undefined ? {} : { manager }),
    before: before ?? null,
    after: after ?? null,
    ...(place ? { manifest: placeObject(place) } : {}),
  }
}

const placeObject = ({ file, line, column }: Place): JsonValue => ({ file, line, column })
