import { createLog, type Log, type LogLevel } from '../runtime/log.ts'
import { type ListenAddress, parseListenAddress } from '../runtime/ops/listen-address.ts'
import { usageError } from './exit.ts'

/** Flags of the programs that run in a cluster. */
export interface ProgramFlags {
  readonly kubeconfig?: string
  readonly blobs?: string
  readonly metricsListen: string
  readonly logLevel: string
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Throws a usage error. */
export function required(value: string | undefined, flag: string): string {
  if (value === undefined || value === '') throw usageError(`${flag} is missing`)
  return value
}

/** Throws a usage error. */
export function listenAddress(text: string, flag: string): ListenAddress {
  const address = parseListenAddress(text)
  if (!address) throw usageError(`${flag} must be HOST:PORT with an IP address, or :PORT, not "${text}"`)
  return address
}

/** A log at the level of `--log-level`. Throws a usage error. */
export function programLog(program: string, level: string): Log {
  const known = LEVELS.find((one) => one === level)
  if (!known) throw usageError(`--log-level must be ${LEVELS.join(', ')}, not "${level}"`)
  return createLog({ program, level: known })
}

/** Throws a usage error. */
export function numberFlag(
  text: string,
  flag: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max))
    throw usageError(`${flag} must be a number from ${min} to ${max}, not "${text}"`)
  return value
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
