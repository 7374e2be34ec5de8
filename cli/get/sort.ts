import { CliError, ExitCode } from '../exit.ts'
import { relaxedJsonPath } from '../output/custom-columns.ts'
import { compileJsonPath } from '../output/jsonpath/evaluate.ts'

/** Sorts by the first value at a JSONPath, as `--sort-by` does; what lacks it comes first. Throws a usage error when nothing has it. */
export function sortBy<T>(items: readonly T[], expression: string, objectOf: (item: T) => unknown): T[] {
  const path = compileJsonPath(relaxedJsonPath(expression), { allowMissingKeys: true })
  const keyed = items.map((item) => ({ item, key: path.find(objectOf(item))[0]?.[0] }))
  if (items.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new CliError(
      ExitCode.usage,
      `couldn't find any field with path "${relaxedJsonPath(expression)}" in the list of objects`,
    )
  }
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item)
}

function compare(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') {
    const [left, right] = [quantity(a), quantity(b)]
    if (left !== undefined && right !== undefined) return left - right
    return a < b ? -1 : a > b ? 1 : 0
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  throw new CliError(ExitCode.usage, `unsortable type: ${typeof a}`)
}

const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A Kubernetes quantity (`500m`, `2Gi`, `1e3`) as a number; undefined where the text is none. */
export function quantity(text: string): number | undefined {
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+))(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?\d+)?$/.exec(text)
  if (!match) return undefined
  const [, number = '', suffix = ''] = match
  const factor = SUFFIX[suffix]
  return factor === undefined ? Number(number + suffix) : Number(number) * factor
}
