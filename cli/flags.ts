import { type Command, InvalidArgumentError } from 'commander'

/** Collects a flag that may be given several times. */
const collect = (value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]
/** Collects a flag that may be given several times, each with several values between commas. */
const collectCommas = (value: string, previous: readonly string[] | undefined) => [
  ...(previous ?? []),
  ...value.split(','),
]

export function wholeNumber(value: string): string {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** How to find the server; on every verb that talks to one. */
export function connectionFlags(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace of the request')
    .option(
      '--kubeconfig <file>',
      'kubeconfig to use (else $KUBECONFIG, ./.weir/kubeconfig, ~/.kube/config, a pod’s service account)',
    )
    .option('--context <name>', 'context of the kubeconfig')
    .option('--cluster <name>', 'cluster of the kubeconfig')
    .option('--user <name>', 'user of the kubeconfig')
    .option('-s, --server <url>', 'address of the API server')
    .option('--token <token>', 'bearer token for the API server')
    .option('--username <name>', 'user name for basic authentication')
    .option('--password <password>', 'password for basic authentication')
    .option('--client-certificate <file>', 'certificate that proves who you are')
    .option('--client-key <file>', 'key of --client-certificate')
    .option('--as <user>', 'act as this user')
    .option('--as-group <group>', 'act as a member of this group; may be repeated', collect)
    .option('--as-uid <uid>', 'act as the user of this UID')
    .option('--as-user-extra <key=value>', 'act with this about the user; may be repeated', collect)
    .option('--certificate-authority <file>', 'certificate authority of the API server')
    .option('--insecure-skip-tls-verify', 'do not check the API server’s certificate')
    .option('--tls-server-name <name>', 'name that the API server’s certificate must have')
    .option('--cache-dir <folder>', 'where it is remembered what servers serve (else $KUBECACHEDIR, ~/.kube/cache)')
    .option('--request-timeout <duration>', 'give up on a request after this long, such as 10s (0: never)')
}

export function fileFlags(command: Command, what: string): Command {
  return command
    .option(
      '-f, --filename <file>',
      `${what}: a file, folder, quoted glob, URL, or - for stdin; may be repeated`,
      collect,
    )
    .option('-k, --kustomize <folder>', 'build this kustomization instead, with the kustomize or kubectl in the PATH')
    .option('-R, --recursive', 'read folders given to -f with their subfolders')
}

export function selectorFlags(command: Command): Command {
  return command
    .option('-l, --selector <selector>', 'only objects with these labels, such as tier=edge,region!=us')
    .option('--field-selector <selector>', 'only objects with these fields, such as metadata.name=fra1')
}

export function outputFlag(command: Command, formats: string): Command {
  return command.option('-o, --output <format>', `output format: ${formats}`)
}

/** Of the programs that run in a cluster. */
export function inClusterFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (else $KUBECONFIG, or the pod’s service account)')
    .option('--blobs <folder>', 'where blobs are kept; controllers and gateways share it')
    .option('--metrics-listen <address>', 'where /metrics, /healthz and /readyz are served', ':8080')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
}

export { collect, collectCommas }
