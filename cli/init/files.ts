import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newManifest } from '../new/new.ts'
import { requiredOwnKind } from '../own-kinds.ts'
import { packageFolder } from '../package-folder.ts'
import { schemaFiles, schemaPath } from '../schema/files.ts'
import { programVersion } from '../version-number.ts'

export interface Scaffold {
  /** What the environments' namespaces begin with. */
  readonly namespace: string
  readonly environments: readonly string[]
  readonly ci: 'github' | 'gitlab' | 'none'
}

export interface ScaffoldFile {
  readonly text: string
  readonly executable: boolean
}

/** Objects to begin with: folder and name in it, kind, and what they say. */
const BASE = [
  ['hardware', 'hc', 'flash-60t', ['storageBytes=60000000000000', 'storageMedium=flash', 'throughputGbps=200']],
  ['catalogs', 'catalog', 'films', ['source.url=https://origin.example.com/films/catalog.ndjson']],
  ['policies', 'pp', 'films', ['catalogRef.name=films']],
] as const
const OVERLAY = [
  ['sites', 'site', 'fra1', ['country=DE', 'metro=fra', 'timeZone=Europe/Berlin']],
  ['appliances', 'appliance', 'fra1-a', ['siteRef.name=fra1', 'hardwareClassRef.name=flash-60t']],
] as const

/** Everything that `weir init` writes: path from the repository's folder → what is there. */
export async function scaffold({ namespace, environments, ci }: Scaffold): Promise<ReadonlyMap<string, ScaffoldFile>> {
  const template = packageFolder('cli/init/template')
  const secrets = environments.map(secretOf)
  const words: Readonly<Record<string, string>> = {
    VERSION: programVersion(),
    FIRST: environments[0]!,
    SECRETS: secrets.map((name) => `\`${name}\``).join(', '),
    KUBECONFIGS: secrets.map((name) => `          ${name}: \${{ secrets.${name} }}`).join('\n'),
  }
  const files = new Map<string, ScaffoldFile>()
  const add = (path: string, text: string) => files.set(path, { text, executable: path.endsWith('.sh') })
  const copy = (path: string, from: string, more: Readonly<Record<string, string>> = {}) =>
    add(path, filled(readFileSync(join(template, from), 'utf8'), { ...words, ...more }))
  const object = async (folder: string, [kindFolder, word, name, field]: (typeof BASE | typeof OVERLAY)[number]) => {
    const kind = requiredOwnKind(word)
    const up = '../'.repeat(folder.split('/').length + 1)
    const { text } = await newManifest(kind, name, `${up}schemas/${schemaPath(kind)}`, { field })
    add(`${folder}/${kindFolder}/${name}.yaml`, text)
  }

  copy('README.md', 'README.md')
  copy('.editorconfig', 'editorconfig')
  copy('.gitignore', 'gitignore')
  copy('.vscode/settings.json', 'vscode-settings.json')
  copy('.vscode/extensions.json', 'vscode-extensions.json')
  copy('ci/validate.sh', 'ci/validate.sh')
  copy('ci/plan.sh', 'ci/plan.sh')
  if (ci === 'github') copy('.github/workflows/weir.yaml', 'github-workflow.yaml')
  if (ci === 'gitlab') copy('.gitlab-ci.yml', 'gitlab-ci.yml')
  copy('base/kustomization.yaml', 'base-kustomization.yaml')
  for (const each of BASE) await object('base', each)
  for (const environment of environments) {
    const folder = `overlays/${environment}`
    const own = { ENVIRONMENT: environment, NAMESPACE: `${namespace}-${environment}` }
    copy(`${folder}/kustomization.yaml`, 'overlay-kustomization.yaml', own)
    copy(`${folder}/namespace.yaml`, 'overlay-namespace.yaml', own)
    for (const each of OVERLAY) await object(folder, each)
  }
  for (const [file, text] of await schemaFiles()) add(`schemas/${file}`, text)
  return files
}

/** The variable that an environment's kubeconfig is in; ci/plan.sh makes it of the name in the same way. */
const secretOf = (environment: string) => `KUBECONFIG_${environment.toUpperCase().replaceAll('-', '_')}`

/** `__NAME__` in a template is the word of that name. */
function filled(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/__([A-Z]+)__/g, (whole, name: string) => words[name] ?? whole)
}
