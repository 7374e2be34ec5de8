import { generateBuilders } from './builders.ts'
import { generateChart } from './chart.ts'
import { readCrds } from './crd.ts'
import { generateDocs } from './docs.ts'
import { generateJsonSchemas } from './json-schemas.ts'
import { generateBundle, generateRegistry } from './registry.ts'
import { generateTypes } from './types.ts'

/** Everything that follows from crds/ and the chart's values: path from the root → text. */
export function generateFiles(root: string): ReadonlyMap<string, string> {
  const crds = readCrds(root)
  return new Map([
    ['crds/types.gen.ts', generateTypes(crds)],
    ['crds/builders.gen.ts', generateBuilders(crds)],
    ['crds/registry.gen.ts', generateRegistry(crds)],
    ['crds/bundle/crds.gen.json', generateBundle(crds)],
    ...generateJsonSchemas(crds),
    ...generateDocs(crds),
    ...generateChart(root),
  ])
}
