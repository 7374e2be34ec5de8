import { goQuote } from '../../validation/go-format.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { BOOL, type CelType, INT, SEMVER, STRING } from '../types/type.ts'
import { CelError, CelOpaque, type Value } from '../values/value.ts'

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly (bigint | string)[]
}

export class CelSemver extends CelOpaque {
  readonly type: CelType = SEMVER
  readonly version: Version

  constructor(version: Version) {
    super()
    this.version = version
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelSemver && compareVersions(this.version, other.version) === 0
  }
}

const MAX_UINT64 = (1n << 64n) - 1n

class Bad extends Error {}

/** Semantic Versioning 2.0.0; errors in the words of the Go library upstream uses. */
export function parseSemver(text: string): CelSemver | CelError {
  try {
    return new CelSemver(parse(text))
  } catch (error) {
    if (error instanceof Bad) return new CelError(error.message)
    throw error
  }
}

function parse(text: string): Version {
  if (text === '') throw new Bad('Version string empty')
  const first = text.indexOf('.')
  const second = first === -1 ? -1 : text.indexOf('.', first + 1)
  if (second === -1) throw new Bad('No Major.Minor.Patch elements found')
  const rest = text.slice(second + 1)
  const plus = rest.indexOf('+')
  const main = plus === -1 ? rest : rest.slice(0, plus)
  const dash = main.indexOf('-')
  const patch = dash === -1 ? main : main.slice(0, dash)
  const numbers = [
    part('Major', 'major', text.slice(0, first)),
    part('Minor', 'minor', text.slice(first + 1, second)),
    part('Patch', 'patch', patch),
  ] as const
  const pre =
    dash === -1
      ? []
      : main
          .slice(dash + 1)
          .split('.')
          .map(preRelease)
  if (plus !== -1) for (const build of rest.slice(plus + 1).split('.')) buildPart(build)
  return { numbers, pre }
}

function part(title: string, name: string, text: string): bigint {
  if (!/^[0-9]*$/.test(text)) throw new Bad(`Invalid character(s) found in ${name} number ${goQuote(text)}`)
  if (text.length > 1 && text.startsWith('0')) {
    throw new Bad(`${title} number must not contain leading zeroes ${goQuote(text)}`)
  }
  return number(text)
}

function number(text: string): bigint {
  if (text === '') throw new Bad(`strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`)
  const value = BigInt(text)
  if (value > MAX_UINT64) throw new Bad(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`)
  return value
}

function preRelease(text: string): bigint | string {
  if (text === '') throw new Bad('Prerelease is empty')
  if (/^[0-9]+$/.test(text)) {
    if (text.length > 1 && text.startsWith('0')) {
      throw new Bad(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`)
    }
    return number(text)
  }
  if (!/^[0-9A-Za-z-]+$/.test(text)) throw new Bad(`Invalid character(s) found in prerelease ${goQuote(text)}`)
  return text
}

function buildPart(text: string): void {
  if (text === '') throw new Bad('Build meta data is empty')
  if (!/^[0-9A-Za-z-]+$/.test(text)) throw new Bad(`Invalid character(s) found in build meta data ${goQuote(text)}`)
}

/** Takes `v1`, `1.2` and `01.02.03` too. */
function normalize(text: string): string | CelError {
  const parts = splitN(text.startsWith('v') ? text.slice(1) : text).map((one) => {
    if (one.length <= 1) return one
    const bare = one.replace(/^0+/, '')
    return /^[0-9]/.test(bare) ? bare : `0${bare}`
  })
  if (parts.length === 3) return parts.join('.')
  if (/[+-]/.test(parts[parts.length - 1] ?? '')) {
    return new CelError('short version cannot contain PreRelease/Build meta data')
  }
  return [...parts, '0', '0'].slice(0, 3).join('.')
}

/** At most three parts; the last keeps its dots. */
function splitN(text: string): string[] {
  const parts = text.split('.')
  return parts.length <= 3 ? parts : [...parts.slice(0, 2), parts.slice(2).join('.')]
}

function semver(text: string, tolerant: boolean): CelSemver | CelError {
  const plain = tolerant ? normalize(text) : text
  return plain instanceof CelError ? plain : parseSemver(plain)
}

function compareVersions(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length)
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePre(a.pre[i] as bigint | string, b.pre[i] as bigint | string)
    if (order !== 0) return order
  }
  return Math.sign(a.pre.length - b.pre.length)
}

/** Numbers come before words. */
function comparePre(a: bigint | string, b: bigint | string): number {
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

const v = (value: Value | undefined): Version => (value as CelSemver).version
const order = (a: Value | undefined, b: Value | undefined): number => compareVersions(v(a), v(b))

function numberOf(id: string, index: 0 | 1 | 2): Overload[] {
  return [member(id, [SEMVER], INT, ([a]) => BigInt.asIntN(64, v(a).numbers[index]))]
}

/** Kubernetes' semantic version functions. */
export const SEMVERS: Readonly<Record<string, readonly Overload[]>> = {
  semver: [
    overload('string_to_semver', [STRING], SEMVER, ([text]) => semver(text as string, false)),
    overload('string_bool_to_semver', [STRING, BOOL], SEMVER, ([text, tolerant]) =>
      semver(text as string, tolerant as boolean),
    ),
  ],
  isSemver: [
    overload('is_semver_string', [STRING], BOOL, ([text]) => !(semver(text as string, false) instanceof CelError)),
    overload(
      'is_semver_string_bool',
      [STRING, BOOL],
      BOOL,
      ([text, tolerant]) => !(semver(text as string, tolerant as boolean) instanceof CelError),
    ),
  ],
  isGreaterThan: [member('semver_is_greater_than', [SEMVER, SEMVER], BOOL, ([a, b]) => order(a, b) > 0)],
  isLessThan: [member('semver_is_less_than', [SEMVER, SEMVER], BOOL, ([a, b]) => order(a, b) < 0)],
  compareTo: [member('semver_compare_to', [SEMVER, SEMVER], INT, ([a, b]) => BigInt(order(a, b)))],
  major: numberOf('semver_major', 0),
  minor: numberOf('semver_minor', 1),
  patch: numberOf('semver_patch', 2),
}
