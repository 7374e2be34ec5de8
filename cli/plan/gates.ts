import type { Figure } from '../../reconcilers/effects/figure.ts'
import { exact, largest } from '../../reconcilers/effects/figure.ts'
import { usageError } from '../exit.ts'
import type { FleetEffects, GateVerdict, Summary } from './document.ts'

/** Limits as they were given on the command line. */
export interface GateFlags {
  readonly maxFill?: string
  readonly maxDrain?: string
  readonly maxDeletes?: string
  readonly maxOffloadLoss?: string
}

/** A limit that is understood. */
interface Gate {
  readonly gate: string
  readonly limit: string
  judge(effects: FleetEffects, summary: Summary): Omit<GateVerdict, 'gate' | 'limit'>
}

/** Reads the limits. Throws usage errors. */
export function readGates(flags: GateFlags): readonly Gate[] {
  const { maxFill, maxDrain, maxDeletes, maxOffloadLoss } = flags
  return [
    ...(maxFill === undefined ? [] : [fillGate(maxFill)]),
    ...(maxDrain === undefined ? [] : [drainGate(maxDrain)]),
    ...(maxDeletes === undefined ? [] : [deletesGate(maxDeletes)]),
    ...(maxOffloadLoss === undefined ? [] : [offloadGate(maxOffloadLoss)]),
  ]
}

export function judge(gates: readonly Gate[], effects: FleetEffects, summary: Summary): GateVerdict[] {
  return gates.map((gate) => ({ gate: gate.gate, limit: gate.limit, ...gate.judge(effects, summary) }))
}

/** Bytes to fill at any one site. */
function fillGate(limit: string): Gate {
  const most = parseSize(limit, '--max-fill')
  return {
    gate: 'max-fill',
    limit,
    judge: ({ sites }) =>
      worst(
        sites.map((site) => ({ value: site.fillBytes, of: `site ${site.namespace}/${site.name}` })),
        most,
      ),
  }
}

/** Appliances drained: a number over the whole fleet, or per cent of the appliances of any one site. */
function drainGate(limit: string): Gate {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(limit)
  if (percent) {
    return {
      gate: 'max-drain',
      limit,
      judge: ({ sites }) =>
        worst(
          sites.map((site) => ({
            value: scaled(site.drained, site.appliances === 0 ? 0 : 100 / site.appliances),
            of: `site ${site.namespace}/${site.name}`,
          })),
          Number(percent[1]),
        ),
    }
  }
  if (!/^\d+$/.test(limit))
    throw usageError(`--max-drain ${limit} is neither a whole number nor a percentage such as 10%`)
  return { gate: 'max-drain', limit, judge: ({ totals }) => worst([{ value: totals.drained }], Number(limit)) }
}

function deletesGate(limit: string): Gate {
  if (!/^\d+$/.test(limit)) throw usageError(`--max-deletes ${limit} is not a whole number`)
  return {
    gate: 'max-deletes',
    limit,
    judge: (_, summary) => worst([{ value: exact(summary.delete) }], Number(limit)),
  }
}

/** Expected offload that any one policy loses, in per cent of all demand. */
function offloadGate(limit: string): Gate {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(limit)
  if (!match) throw usageError(`--max-offload-loss ${limit} is not a percentage such as 0.5%`)
  return {
    gate: 'max-offload-loss',
    limit,
    judge: ({ policies }) =>
      worst(
        policies.map((policy) => ({
          value: policy.offloadLossPercent,
          of: `policy ${policy.namespace}/${policy.name}`,
        })),
        Number(match[1]),
      ),
  }
}

interface Candidate {
  readonly value: Figure
  readonly of?: string
}

/** What is over the limit decides; then what is not known, which refuses too; then all is well. */
function worst(candidates: readonly Candidate[], most: number): Omit<GateVerdict, 'gate' | 'limit'> {
  const known = candidates.filter(({ value }) => value.certainty !== 'unknown')
  const top = largest(known.map(({ value }) => value))
  const at = known.find(({ value }) => value.value === top.value)
  const named = (candidate: Candidate | undefined) => (candidate?.of === undefined ? {} : { of: candidate.of })
  if (top.value !== null && top.value > most) return { verdict: 'exceeded', value: at!.value, ...named(at) }
  const dark = candidates.find(({ value }) => value.certainty === 'unknown')
  if (dark) return { verdict: 'unknown', value: dark.value, ...named(dark) }
  return { verdict: 'passed', value: at?.value ?? exact(0), ...named(at) }
}

function scaled(figure: Figure, by: number): Figure {
  return figure.certainty === 'unknown' ? figure : { ...figure, value: figure.value * by }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 1e3,
  k: 1e3,
  KB: 1e3,
  M: 1e6,
  MB: 1e6,
  G: 1e9,
  GB: 1e9,
  T: 1e12,
  TB: 1e12,
  P: 1e15,
  PB: 1e15,
  Ki: 2 ** 10,
  KiB: 2 ** 10,
  Mi: 2 ** 20,
  MiB: 2 ** 20,
  Gi: 2 ** 30,
  GiB: 2 ** 30,
  Ti: 2 ** 40,
  TiB: 2 ** 40,
  Pi: 2 ** 50,
  PiB: 2 ** 50,
}

/** `1.5TiB`, `500GB`, `1024`: bytes, with Kubernetes' suffixes and their longer forms. Throws a usage error. */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  if (!match || unit === undefined) throw usageError(`${flag} ${text} is not a size such as 500GiB or 2TB`)
  return Number(match[1]) * unit
}
