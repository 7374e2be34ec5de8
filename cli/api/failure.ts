import { ApiError, ConnectError, CredentialsError, TimeoutError } from '../../runtime/errors.ts'
import { CliError, ExitCode } from '../exit.ts'
import { visible } from '../output/escape.ts'

/** What a failed request means to the person at the terminal, in kubectl's words where it has some. */
export function describeFailure(error: unknown): string {
  // The answer of a path that nobody serves is no Status.
  if (error instanceof ApiError && error.code === 404 && error.message.startsWith(`${error.request}: `))
    return 'Error from server (NotFound): the server could not find the requested resource'
  if (error instanceof ApiError) return `Error from server (${error.reason}): ${visible(error.message)}`
  if (error instanceof ConnectError) {
    const hint = error.sent
      ? ''
      : '. Is it running? (`weir up` starts one; --kubeconfig, --context and --server choose another)'
    return `error: ${visible(error.message)}${hint}`
  }
  return `error: ${visible(error instanceof Error ? error.message : String(error))}`
}

/** Wraps what a request threw so that the command ends with the code for it. Errors of our own bugs pass through. */
export function requestFailure(error: unknown): unknown {
  const known = [ApiError, ConnectError, TimeoutError, CredentialsError]
  if (known.some((type) => error instanceof type)) {
    return new CliError(ExitCode.api, `${describeFailure(error)}\n`, { raw: true, cause: error })
  }
  return error
}
