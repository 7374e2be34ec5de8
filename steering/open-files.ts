import { readFileSync } from 'node:fs'

/** For blobs, snapshots, logs, the API server and DNS. */
const RESERVED = 2048
/** Where the system sets no bound, or does not say. */
const UNBOUNDED = 1_000_000

/** Who may have how many of the files and connections that this process may have open. */
export interface OpenFiles {
  readonly allowed: number
  /** Connections of players. */
  readonly players: number
  /** Connections to appliances. */
  readonly probes: number
}

/**
 * Shares out what may be open, so that nobody takes it all: were players to, blobs could not be read any more, nor the API server be asked. Players
 * get what they are meant to have, but not more than half of what is not reserved; probes get the rest.
 */
export function shareOpenFiles(allowed: number, maxConnections: number, probes: boolean): OpenFiles {
  const left = allowed - Math.min(RESERVED, Math.floor(allowed / 4))
  const players = Math.min(maxConnections, probes ? Math.floor(left / 2) : left)
  return { allowed, players, probes: left - players }
}

/** How many files and connections this process may have open; Node has raised its own limit as far as it may. */
export function openFilesAllowed(): number {
  try {
    const said = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return numberOf(said)
  } catch {
    const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: string | number } } }
    return numberOf(userLimits?.open_files?.soft)
  }
}

function numberOf(said: string | number | undefined): number {
  const number = Number(said)
  return Number.isSafeInteger(number) && number > 0 ? Math.min(number, UNBOUNDED) : UNBOUNDED
}
