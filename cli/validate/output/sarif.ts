import { createHash } from 'node:crypto'
import { isAbsolute, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Problem } from '../../manifests/problem.ts'
import type { Place } from '../../manifests/source-text.ts'
import { type Report, severityOf } from '../report.ts'
import { allRules } from '../rules/rules.ts'
import { isOnDisk, objectText, regionOf, sentence } from './positions.ts'

const LEVELS = { error: 'error', warning: 'warning', note: 'note' } as const
const RULE_INDEX = new Map(allRules.map(({ id }, index) => [id, index]))

/** SARIF 2.1.0, one run. `cwd`: what names of files are relative to. */
export function* printSarif(report: Report, cwd: string, version: string): Generator<string> {
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'weir validate',
            semanticVersion: version,
            rules: allRules.map(({ id, about, severity }) => ({
              id,
              name: id.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
              shortDescription: { text: about },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        columnKind: 'unicodeCodePoints',
        invocations: [{ executionSuccessful: true, exitCode: report.counts.error > 0 ? 2 : 0 }],
        results: [],
      },
    ],
  }
  const [head, tail] = JSON.stringify(log, null, 2).split('"results": []') as [string, string]
  yield `${head}"results": [`
  let separator = '\n        '
  for (const problem of report.problems) {
    yield separator + JSON.stringify(resultOf(problem, cwd))
    separator = ',\n        '
  }
  yield `${report.problems.length > 0 ? '\n      ' : ''}]${tail}\n`
}

function resultOf(problem: Problem<string>, cwd: string) {
  const { code, file, field, related, suggestion } = problem
  const region = regionOf(problem)
  const object = objectText(problem)
  const artifactLocation = locationOf(file, cwd)
  const known = isOnDisk(file)
  const place = region && !known ? ` (${file}:${region.line}:${region.column})` : ''
  const shown = region && {
    startLine: region.line,
    startColumn: region.column,
    endLine: region.line,
    endColumn: region.endColumn,
  }
  return {
    ruleId: code,
    ruleIndex: RULE_INDEX.get(code) ?? -1,
    level: LEVELS[severityOf(problem)],
    message: { text: sentence(problem) + place },
    locations: [
      {
        physicalLocation: {
          artifactLocation,
          ...(shown && known ? { region: { ...shown, snippet: { text: region.text } } } : {}),
        },
        ...(object
          ? { logicalLocations: [{ fullyQualifiedName: field ? `${object} ${field}` : object, kind: 'member' }] }
          : {}),
      },
    ],
    ...(related ? { relatedLocations: [relatedLocation(related, cwd)] } : {}),
    // The same problem keeps its print when lines move.
    partialFingerprints: { 'weirProblem/v1': digest([code, file, object ?? '', field ?? '', problem.message]) },
    ...(suggestion !== undefined && shown && known
      ? {
          fixes: [
            {
              description: { text: `Write ${suggestion}` },
              artifactChanges: [
                { artifactLocation, replacements: [{ deletedRegion: shown, insertedContent: { text: suggestion } }] },
              ],
            },
          ],
        }
      : {}),
  }
}

function relatedLocation({ message, place }: { readonly message: string; readonly place: Place }, cwd: string) {
  return {
    id: 0,
    message: { text: message },
    physicalLocation: {
      artifactLocation: locationOf(place.file, cwd),
      ...(isOnDisk(place.file) ? { region: { startLine: place.line, startColumn: place.column } } : {}),
    },
  }
}

/** A file within the folder by its relative URI, as code hosts expect it; others by a whole one. */
function locationOf(file: string, cwd: string) {
  if (/^https?:/.test(file)) return { uri: new URL(file).href }
  const kustomization = /^<kustomize (.*)>$/.exec(file)?.[1]
  if (kustomization !== undefined) return locationOf(`${kustomization}/kustomization.yaml`, cwd)
  if (file === '<stdin>') return { uri: 'stdin' }
  const path = isAbsolute(file) ? relative(cwd, file) : file
  if (path.startsWith('..')) return { uri: pathToFileURL(isAbsolute(file) ? file : `${cwd}/${file}`).href }
  const normal = path
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/{2,}/g, '/')
  return { uri: normal.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' }
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)
}
