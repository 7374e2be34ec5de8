import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OutputChunk, rolldown } from 'rolldown'

// Makes dist/program/ (or the folder given): all that `weir` runs, its libraries included, in a handful of files. A short command takes most of
// its time to find and read its code, and of the hundreds of files that this is made of most are small.

const root = fileURLToPath(new URL('../', import.meta.url))
const out = process.argv[2] ?? join(root, 'dist', 'program')

/**
 * What every command needs is one file, and what every verb that reads needs another, also where some of it is only imported when it is needed.
 * Two, because the compiled code that Node keeps of a file is what the first command to load it ran: of a verb's code, `--help` runs nothing.
 */
const START = [
  /\/cli\/[a-z]+\/command\.ts$/,
  /\/cli\/(exit|flags|io|process|program|run|verb|verbs)\.ts$/,
  /\/node_modules\/commander\//,
]
const READ = [
  /\/cli\/(api|get|output)\/(?!command)/,
  /\/cli\/(duration|concurrently)\.ts$/,
  /\/cli\/manifests\/(suggest|plain\/.*|span)\.ts$/,
  /\/runtime\/(client\/.*|clock|errors)\.ts$/,
]

/** How our sources name a file that is `.ts` in a checkout and `.js` as published. */
const STARTED = /import\.meta\.url\.endsWith\('\.ts'\)\s*\?\s*'\.\/([\w-]+)\.ts'\s*:\s*'\.\/\1\.js'/g

const started = new Map<string, string>()

const BUILTIN = '\0builtin:'
const NOTHING = '\0nothing'

const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  input: { main: 'cli/main.ts' },
  plugins: [
    {
      // An import of a builtin module reads each of its exports, some of which load more of Node when they are read; getBuiltinModule does not.
      name: 'builtins-without-what-is-not-used',
      resolveId(id, importer) {
        // Commander would run verbs that are programs of their own; ours are not.
        if (id === 'node:child_process' && importer?.includes('/node_modules/commander/')) return NOTHING
        return isBuiltin(id) && !importer?.startsWith('\0') ? BUILTIN + id : null
      },
      load(id) {
        if (id === NOTHING) return 'export default {}'
        if (!id.startsWith(BUILTIN)) return null
        return `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(BUILTIN.length))})`
      },
      // A file that is started by its name, such as a worker thread's, is found beside the file that starts it: so all are in one folder.
      transform(code, id) {
        for (const [, name] of id.endsWith('.ts') ? code.matchAll(STARTED) : []) {
          if (name === 'main') continue
          const file = join(dirname(id), `${name}.ts`)
          if ((started.get(name!) ?? file) !== file) throw new Error(`${file} and ${started.get(name!)} have one name`)
          started.set(name!, file)
          this.emitFile({ type: 'chunk', id: file, fileName: `${name}.js` })
        }
        return null
      },
      generateBundle(_options, files) {
        // Text that is all ASCII is read without decoding, and takes half the memory.
        for (const file of Object.values(files)) if (file.type === 'chunk') file.code = asciiOnly(file.code)
      },
    },
  ],
  checks: { ineffectiveDynamicImport: false },
})
rmSync(out, { recursive: true, force: true })
const { output } = await bundle.write({
  dir: out,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  codeSplitting: {
    groups: [
      { name: 'node', test: /^\0/ },
      { name: 'start', test: (id) => START.some((pattern) => pattern.test(id)) },
      { name: 'read', test: (id) => READ.some((pattern) => pattern.test(id)) },
    ],
  },
  // Stack traces keep their names.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  keepNames: true,
})
await bundle.close()

const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk')
writeFileSync(join(out, 'LICENSES.txt'), licenses(chunks.flatMap(({ moduleIds }) => moduleIds)))
const bytes = chunks.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0)
console.log(`${out}: ${chunks.length} files, ${(bytes / 2 ** 20).toFixed(1)} MiB`)

/** What is not ASCII as escapes, which mean the same wherever it may stand: in names, texts and patterns. */
function asciiOnly(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The licenses of the packages that modules belong to: whoever passes their code on passes these on too. */
function licenses(modules: readonly string[]): string {
  const folders = modules.flatMap((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? [])
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name: string
        version: string
        license?: string
      }
      const texts = readdirSync(folder)
        .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
        .map((file) => readFileSync(join(folder, file), 'utf8').trim())
      return `${name} ${version} (${license ?? 'see below'})\n\n${texts.join('\n\n')}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
