/**
 * Asks a real kube-apiserver everything that the corpus asks, and keeps what it answers.
 *
 *   node test/crds/corpus/record.ts [--check] [--kubeconfig FILE] [NAME…]
 *
 * Without a kubeconfig it starts a server from KUBEBUILDER_ASSETS. --check writes nothing, and fails where answers differ.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findAssets } from '../../kube/assets.ts'
import { startKubeServer } from '../../kube/kube-server.ts'
import { KubeClient } from '../../oracle/kube-client.ts'
import { answersPath, type DefinitionFile, type ExpressionFile, load, type ObjectFile } from './corpus.ts'
import { askDefinition, askExpressions, askObjects } from './server.ts'

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { kubeconfig: { type: 'string' }, check: { type: 'boolean' } },
})

const isWanted = ({ name }: { readonly name: string }): boolean => wanted.length === 0 || wanted.includes(name)
let differing = 0

function keep(folder: string, name: string, given: readonly unknown[]): void {
  const text = `[\n${given.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`
  const path = answersPath(folder, name)
  if (!options.check) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    differing++
    writeFileSync(join(tmpdir(), `${folder}-${name}.json`), text)
    process.stderr.write(`${folder}/${name}: the server answers otherwise now\n`)
  }
}

async function record(client: KubeClient): Promise<void> {
  for (const file of load<ObjectFile>('objects').filter(isWanted)) {
    keep('objects', file.name, await askObjects(client, file))
  }
  for (const file of load<DefinitionFile>('definitions').filter(isWanted)) {
    const given = []
    for (const one of file.cases) given.push(await askDefinition(client, one))
    keep('definitions', file.name, given)
  }
  for (const file of load<ExpressionFile>('expressions').filter(isWanted)) {
    keep('expressions', file.name, await askExpressions(client, file))
  }
}

async function withServer(run: (kubeconfig: string) => Promise<void>): Promise<void> {
  if (options.kubeconfig) return run(options.kubeconfig)
  const assets = findAssets()
  if (!assets) throw new Error('KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd')
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
  const server = await startKubeServer(assets, folder)
  try {
    await run(server.kubeconfigPath)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

await withServer(async (kubeconfig) => {
  const client = new KubeClient(kubeconfig)
  await record(client).finally(() => client.close())
})
if (differing > 0) process.exitCode = 1
