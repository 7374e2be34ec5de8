import type { Appliance } from '../../crds/types.gen.ts'
import { bytesText } from '../output/quantity.ts'

const BAR_CELLS = 20

/** The fleet as lines for a terminal: one per appliance, and a sum. At most `columns` wide. */
export function fleetLines(
  appliances: readonly Appliance[],
  bytesPerSecond: number | undefined,
  columns: number,
): string[] {
  const names = appliances.map(({ metadata }) => metadata.name ?? '')
  const width = Math.max(4, ...names.map((name) => name.length))
  const lines = appliances.map((appliance, index) => {
    const content = appliance.status?.content
    const phase = (appliance.status?.phase ?? 'Pending').padEnd(8)
    if (!content?.filesDesired)
      return `${names[index]!.padEnd(width)}  ${phase}  ${appliance.status?.waitingFor?.[0] ?? ''}`
    const filled = Math.floor((content.progressPercent * BAR_CELLS) / 100)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
    const failing = content.filesFailing > 0 ? `, ${content.filesFailing} failing` : ''
    return `${names[index]!.padEnd(width)}  ${phase}  ${bar} ${String(content.progressPercent).padStart(3)}%  ${content.filesHeld} of ${content.filesDesired} files${failing}`
  })
  return [...lines, totalLine(appliances, bytesPerSecond)].map((line) =>
    [...line].slice(0, Math.max(20, columns - 1)).join(''),
  )
}

function totalLine(appliances: readonly Appliance[], bytesPerSecond: number | undefined): string {
  const ready = appliances.filter(({ status }) => status?.phase === 'Ready').length
  const rate = bytesPerSecond === undefined || bytesPerSecond < 1 ? '' : `, ${bytesText(bytesPerSecond)}/s`
  return `${ready} of ${appliances.length} ready, ${bytesText(heldBytes(appliances))} of ${bytesText(desiredBytes(appliances))}${rate}`
}

export const heldBytes = (appliances: readonly Appliance[]) =>
  appliances.reduce((sum, { status }) => sum + (status?.content?.bytesHeld ?? 0), 0)
export const desiredBytes = (appliances: readonly Appliance[]) =>
  appliances.reduce((sum, { status }) => sum + (status?.content?.bytesDesired ?? 0), 0)

/** One appliance as a line of a log; what does not deserve a new line is left out of it. */
export function changeLine({ metadata, status }: Appliance): string {
  const content = status?.content
  const name = metadata.name ?? ''
  if (!content?.filesDesired) return `${name}: ${status?.phase ?? 'Pending'}`
  const tenth = Math.floor(content.progressPercent / 10) * 10
  const failing = content.filesFailing > 0 ? `, ${content.filesFailing} files failing` : ''
  return `${name}: ${status?.phase ?? 'Pending'}, ${tenth}% of ${content.filesDesired} files, ${bytesText(content.bytesDesired)}${failing}`
}
