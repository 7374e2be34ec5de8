import { Command, Option } from 'commander'
import type { ExitCode } from './exit.ts'
import { collect, collectCommas, connectionFlags, fileFlags, outputFlag, selectorFlags, wholeNumber } from './flags.ts'
import type { Io } from './io.ts'

type Run = (io: Io, words: readonly string[], flags: never) => Promise<ExitCode>

/**
 * The command tree: names, flags and one-line help. Each verb's code is imported when the verb runs, so that `--help` and completion
 * answer at once. `finish` receives the exit code.
 */
export function createProgram(io: Io, finish: (code: ExitCode) => void): Command {
  const program = new Command('weir')
    .description('Fleets of content-delivery appliances from YAML: what they hold, run and serve.')
    .usage('<verb> [flags]')
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => (io.outIsTerminal ? io.columns() : 120),
      getErrHelpWidth: () => (io.errIsTerminal ? io.columns() : 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .helpCommand('help [verb]', 'show the flags of a verb, and examples')
    .configureHelp({ subcommandTerm: (command) => command.name() })

  const define = (
    parent: Command,
    usage: string,
    description: string,
    examples: readonly string[],
    load: () => Promise<Run>,
  ): Command => {
    const [name = ''] = usage.split(' ')
    const path = parent === program ? `weir ${name}` : `weir ${parent.name()} ${name}`
    return parent
      .command(name)
      .usage(usage.slice(name.length + 1))
      .description(description)
      .argument('[words...]')
      .showHelpAfterError(`Run \`${path} --help\` for its flags.`)
      .configureHelp({ visibleArguments: () => [] })
      .addHelpText(
        'after',
        examples.length === 0 ? '' : `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`,
      )
      .action(async (words: string[], flags: unknown) => {
        const run = await load()
        finish(await run(io, words, flags as never))
      })
  }

  const up = define(
    program,
    'up [flags]',
    'run a control plane on this machine, with its controllers, gateway and local appliances',
    [
      'weir up --quickstart',
      'weir up --appliances 3 --origin ./films',
      'KUBECONFIG=.weir/kubeconfig kubectl get sites',
    ],
    async () => (await import('./up/up.ts')).runUp,
  )
  up.option('--dir <folder>', 'where everything is kept', '.weir')
    .option(
      '--appliances <count>',
      'run agents on this machine, each a process of its own, for at most so many appliances',
      wholeNumber,
    )
    .option('--origin <folder>', 'serve this folder’s files as an origin, with a catalog of them')
    .option('--origin-port <port>', 'port of the origin (else 8480, or any where that is taken)', wholeNumber)
    .option('--port <port>', 'port of the API server (else 6443, or any where that is taken)', wholeNumber)
    .option('--gateway-port <port>', 'port of the gateway (else 6444, or any where that is taken)', wholeNumber)
    .option('--quickstart', 'apply the quickstart example, show it filling, and say what to try next')
    .option('--verbose', 'write the log to stderr rather than to <dir>/weir.log')

  const apply = define(
    program,
    'apply -f FILE [flags]',
    'make the server’s objects what the manifests say (server-side apply)',
    ['weir apply -f site.yaml', 'weir apply -R -f fleet/ --wait', 'cat site.yaml | weir apply -f - --dry-run=server'],
    async () => (await import('./apply/apply.ts')).runApply,
  )
  connectionFlags(outputFlag(fileFlags(apply, 'manifests to apply'), 'name, json, yaml'))
    .addOption(
      new Option(
        '--dry-run <how>',
        'change nothing: ask the server what would happen, or only read and check the files',
      )
        .choices(['none', 'server', 'client'])
        .preset('server'),
    )
    .option(
      '--force-conflicts <field>',
      'take this field over from whoever owns it, such as .spec.mode; may be repeated',
      collectCommas,
    )
    .option('--field-manager <name>', 'who the fields are written down to', 'weir')
    .option('--wait', 'wait until everything applied is healthy')
    .option('--timeout <duration>', 'how long --wait waits', '5m')

  const diff = define(
    program,
    'diff -f FILE [flags]',
    'show what apply would change, without changing it',
    ['weir diff -f site.yaml', 'weir diff -R -f fleet/ --exit-code=false'],
    async () => (await import('./diff/diff.ts')).runDiff,
  )
  connectionFlags(fileFlags(diff, 'manifests to compare'))
    .option('--no-exit-code', 'exit 0 even where there are differences')
    .option('--force-conflicts <field>', 'compare as if this field were taken over; may be repeated', collectCommas)
    .option('--field-manager <name>', 'who would apply', 'weir')

  const validate = define(
    program,
    'validate -f FILE [flags]',
    'check manifests of Weir’s kinds without a server',
    ['weir validate -R -f fleet/'],
    async () => (await import('./validate/validate.ts')).runValidate,
  )
  fileFlags(validate, 'manifests to check').option(
    '-n, --namespace <name>',
    'namespace of objects that name none',
    'default',
  )

  const get = define(
    program,
    'get TYPE [NAME…] | TYPE/NAME… | -f FILE [flags]',
    'list objects',
    [
      'weir get sites',
      'weir get appliances -A -o wide',
      'weir get ap/fra1-a -o yaml',
      'weir get weir -w',
      'weir get ap -o custom-columns=NAME:.metadata.name,PHASE:.status.phase',
    ],
    async () => (await import('./get/get.ts')).runGet,
  )
  connectionFlags(
    selectorFlags(
      outputFlag(fileFlags(get, 'objects named in manifests'), 'wide, json, yaml, name, jsonpath=…, custom-columns=…'),
    ),
  )
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('-w, --watch', 'go on and show every change')
    .option('--watch-only', 'show changes only, not what is there')
    .option('--output-watch-events', 'say for each change whether it was ADDED, MODIFIED or DELETED')
    .option('--sort-by <path>', 'sort by a JSONPath, such as .metadata.creationTimestamp')
    .option('--no-headers', 'leave out the headers')
    .option('--show-labels', 'all labels, as the last column')
    .option('-L, --label-columns <labels>', 'these labels as columns; may be repeated', collectCommas)
    .option('--show-kind', 'names with their kind')
    .option('--show-managed-fields', 'keep managedFields in JSON and YAML')
    .option('--ignore-not-found', 'it is no error when an object does not exist')
    .option('--chunk-size <count>', 'read large lists in chunks of so many', '500')
    .option('--subresource <name>', 'read this subresource, such as status')
    .option('--raw <path>', 'read any path of the API server')

  const describe = define(
    program,
    'describe TYPE [NAME…] | TYPE/NAME… [flags]',
    'everything about an object on one screen: what it should be, what it is, what it waits for',
    ['weir describe appliance fra1-a', 'weir describe site -A'],
    async () => (await import('./describe/describe.ts')).runDescribe,
  )
  connectionFlags(selectorFlags(fileFlags(describe, 'objects named in manifests')))
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--no-show-events', 'leave out the events')

  const remove = define(
    program,
    'delete TYPE NAME… | TYPE/NAME… | -f FILE [flags]',
    'delete objects',
    ['weir delete ap fra1-a', 'weir delete -f site.yaml', 'weir delete sites -l region=eu'],
    async () => (await import('./delete/delete.ts')).runDelete,
  )
  connectionFlags(selectorFlags(fileFlags(remove, 'objects named in manifests')))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['name']))
    .option('--all', 'all objects of the type in the namespace')
    .option('-A, --all-namespaces', 'across all namespaces')
    .addOption(
      new Option('--cascade <how>', 'what happens to owned objects')
        .choices(['background', 'foreground', 'orphan'])
        .default('background'),
    )
    .addOption(new Option('--dry-run <how>', 'delete nothing').choices(['none', 'server', 'client']).preset('server'))
    .option('--ignore-not-found', 'it is no error when an object does not exist')
    .option('--no-wait', 'do not wait until finalizers are done and the objects are gone')
    .option('--timeout <duration>', 'how long to wait', '0s')
    .option('--grace-period <seconds>', 'seconds given to end by itself')

  const explain = define(
    program,
    'explain [TYPE[.FIELD…]] [flags]',
    'what a kind and its fields mean, with defaults, allowed values and examples',
    ['weir explain', 'weir explain site', 'weir explain site.spec.fillWindows', 'weir explain pp --recursive'],
    async () => (await import('./explain/explain.ts')).runExplain,
  )
  connectionFlags(explain)
    .option('--recursive', 'fields of fields too')
    .option('--api-version <version>', 'group/version of the type')

  const events = define(
    program,
    'events [flags]',
    'list what happened, oldest first',
    ['weir events', 'weir events --for appliance/fra1-a', 'weir events -A -w --types Warning'],
    async () => (await import('./events/events.ts')).runEvents,
  )
  connectionFlags(outputFlag(events, 'wide, json, yaml, name, jsonpath=…, custom-columns=…'))
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--for <object>', 'only events about this object, such as appliance/fra1-a')
    .option('--types <types>', 'only Normal or Warning events', collectCommas)
    .option('-w, --watch', 'go on and show what happens')
    .option('--no-headers', 'leave out the headers')

  const wait = define(
    program,
    'wait TYPE/NAME… | TYPE [NAME…] --for=CONDITION [flags]',
    'wait until objects are as they should be',
    [
      'weir wait --for=condition=Ready ap --all --timeout=10m',
      "weir wait --for=jsonpath='{.status.phase}'=Ready ap/fra1-a",
      'weir wait --for=delete site/fra1',
    ],
    async () => (await import('./wait/wait.ts')).runWait,
  )
  connectionFlags(selectorFlags(fileFlags(wait, 'objects named in manifests')))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['name']))
    .option('--for <what>', 'condition=TYPE[=VALUE], jsonpath=PATH[=VALUE], delete, or create', collect)
    .option('--all', 'all objects of the type in the namespace')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--timeout <duration>', 'how long to wait (0: look once; negative: a week)', '30s')

  const catalog = program.command('catalog').description('make catalogs').usage('<verb> [flags]')
  define(
    catalog,
    'create --from-dir DIR [flags]',
    'list a folder’s files with their sizes and digests, and print a Catalog manifest for them',
    ['weir catalog create --from-dir ./films --url http://origin.example/films/ > catalog.yaml'],
    async () => (await import('./catalog/create.ts')).runCatalogCreate,
  )
    .option('--from-dir <folder>', 'the files')
    .option('--out <file>', 'where the list goes', 'catalog.ndjson')
    .option('--name <name>', 'name of the Catalog (else from the folder’s name)')
    .option('-n, --namespace <name>', 'namespace of the Catalog')
    .option('--url <url>', 'where the folder, with the list in it, is served')

  const agent = define(
    program,
    'agent [flags]',
    'run an appliance’s agent',
    [],
    async () => (await import('./agent/agent.ts')).runAgent,
  )
  agent
    .option('--gateway <url>', 'address of the gateway')
    .option('--ca <file>', 'certificate authority of the gateway')
    .option('--appliance <namespace/name>', 'which appliance this is')
    .option('--token-file <file>', 'the appliance’s token')
    .option('--root <folder>', 'where content and state are kept')
    .option('--listen <host:port>', 'where content is served', '127.0.0.1:0')
    .option('--advertise <url>', 'the address by which others reach it')
    .option('--storage-bytes <bytes>', 'content it may hold, where that is less than the disk', wholeNumber)

  const inCluster = (command: Command) =>
    command
      .option('--kubeconfig <file>', 'kubeconfig to use (else $KUBECONFIG, or the pod’s service account)')
      .option('--blobs <folder>', 'where blobs are kept; controllers and gateways share it')
      .option('--metrics-listen <address>', 'where /metrics, /healthz and /readyz are served', ':8080')
      .option('--log-level <level>', 'debug, info, warn or error', 'info')
  inCluster(
    define(
      program,
      'controller [flags]',
      'run the controllers against an API server',
      ['weir controller --leader-elect --blobs=/var/lib/weir/blobs'],
      async () => (await import('./controller/controller.ts')).runController,
    ),
  )
    .option('--leader-elect', 'act only while holding the Lease weir-controller in $POD_NAMESPACE (else weir-system)')
    .option('--lease-duration <duration>', 'how long others wait before they take over from a silent leader', '10s')
    .option('--renew-deadline <duration>', 'how long a leader goes on that cannot renew its Lease', '7s')
    .option('--retry-period <duration>', 'how often the Lease is looked at', '1s')
    .option('--max-dark-share <share>', 'stop moving anything when more than this share of the fleet is dark, 0 to 1')
    .option('--min-dark <count>', 'fewer dark appliances than this never stop anything', wholeNumber)
  inCluster(
    define(
      program,
      'gateway [flags]',
      'run the gateway, the appliances’ door',
      ['weir gateway --listen=:8443 --tls-cert=tls.crt --tls-key=tls.key --blobs=/var/lib/weir/blobs'],
      async () => (await import('./gateway/gateway.ts')).runGateway,
    ),
  )
    .option('--listen <address>', 'where appliances are served, over HTTPS', ':8443')
    .option('--tls-cert <file>', 'its certificate, PEM')
    .option('--tls-key <file>', 'the certificate’s key, PEM')
    .option('--id <name>', 'names this gateway among others, across its restarts (else $POD_NAME, or the host’s name)')

  define(
    program,
    'completion bash|zsh|fish',
    'print a script that completes verbs, kinds, names and flags',
    ['source <(weir completion bash)', 'weir completion fish | source'],
    async () => (await import('./completion/completion.ts')).runCompletion,
  )

  const version = define(
    program,
    'version [flags]',
    'print the versions of this program and of the server',
    ['weir version', 'weir version --client -o json'],
    async () => (await import('./version.ts')).runVersion,
  )
  connectionFlags(outputFlag(version, 'json, yaml')).option('--client', 'of this program only')
  return program
}
