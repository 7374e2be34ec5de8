import { type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import type { Change } from '../changes/change.ts'
import { comparable } from '../changes/comparable.ts'
import { computeChanges } from '../changes/compute.ts'
import { masked } from '../changes/mask.ts'
import { manifestsFrom, resolveManifests } from '../changes/resolve.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import type { Io } from '../io.ts'
import { visible } from '../output/escape.ts'
import { printYaml } from '../output/yaml.ts'
import { unifiedDiff } from './unified.ts'

export interface DiffFlags extends ConnectionFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly exitCode: boolean
  readonly forceConflicts?: readonly string[]
  readonly fieldManager: string
}

/** `weir diff`: what server-side apply would make of the live objects. */
export async function runDiff(io: Io, words: readonly string[], flags: DiffFlags): Promise<ExitCode> {
  const loaded = await manifestsFrom(io, words, flags)
  const connection = await connect(io, flags)
  try {
    const set = await resolveManifests(loaded, connection, io.interrupted)
    let different = false
    const { changes } = await computeChanges(io, connection, set, {
      fieldManager: flags.fieldManager,
      take: flags.forceConflicts ?? [],
      signal: io.interrupted,
    })
    for (const change of changes) {
      const text = changeText(change)
      if (text === '') continue
      different = true
      await io.out(io.outIsTerminal ? coloured(text) : text)
    }
    return different && flags.exitCode ? ExitCode.differences : ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

function changeText({ resolved, before, after }: Change): string {
  const { apiVersion, kind } = resolved.object
  const [left, right] = masked(before && comparable(before), after && comparable(after))
  const body = unifiedDiff(left ? printYaml(left) : '', right ? printYaml(right) : '')
  if (body === '') return ''
  const { namespace, name } = resolved.object.metadata
  const label = [...apiVersion.split('/'), kind, ...(resolved.resource.namespaced ? [namespace] : []), name].join('.')
  return visible(`--- ${before ? `live/${label}` : '/dev/null'}\n+++ merged/${label}\n${body}`)
}

const COLOURS: Readonly<Record<string, string>> = { '+': '32', '-': '31', '@': '36' }

function coloured(text: string): string {
  return text.replace(/^([-+@]).*$/gm, (line, mark: string) => `\u001b[${COLOURS[mark]}m${line}\u001b[0m`)
}
