import { type CelType, DYN, formatType, sameType } from './type.ts'

/** What type parameters are known to stand for. Never changed: binding makes a new one. */
export type Bindings = ReadonlyMap<string, CelType>

export const NO_BINDINGS: Bindings = new Map()

const isDyn = (type: CelType): boolean => type.kind === 'dyn'
const isDynOrError = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'error'

/** The bindings under which each type of `from` can stand for that of `to`; undefined where they cannot. */
export function assignable(bindings: Bindings, from: readonly CelType[], to: readonly CelType[]): Bindings | undefined {
  if (from.length !== to.length) return undefined
  const unifier = new Unifier(bindings)
  return from.every((type, i) => unifier.fits(type, to[i] as CelType)) ? unifier.bindings : undefined
}

/** Replaces bound parameters. With `free`, parameters without a binding become dyn. */
export function substitute(bindings: Bindings, type: CelType, free = false): CelType {
  switch (type.kind) {
    case 'param': {
      const bound = bindings.get(type.name)
      if (bound) return substitute(bindings, bound, free)
      return free ? DYN : type
    }
    case 'list':
      return { kind: 'list', element: substitute(bindings, type.element, free) }
    case 'map':
      return {
        kind: 'map',
        key: substitute(bindings, type.key, free),
        value: substitute(bindings, type.value, free),
      }
    case 'opaque':
      if (type.params.length === 0) return type
      return { ...type, params: type.params.map((one) => substitute(bindings, one, free)) }
    case 'type':
      return type.of ? { kind: 'type', of: substitute(bindings, type.of, free) } : type
    default:
      return type
  }
}

/** Of two types known to fit each other, the more general. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return lessSpecific(a, b) ? a : b
}

function lessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === 'param') return true
  if (isDyn(b) || b.kind === 'param') return false
  if (a.kind === 'list' && b.kind === 'list') return lessSpecific(a.element, b.element)
  if (a.kind === 'map' && b.kind === 'map') return lessSpecific(a.key, b.key) && lessSpecific(a.value, b.value)
  if (a.kind === 'opaque' && b.kind === 'opaque') {
    return (
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((one, i) => lessSpecific(one, b.params[i] as CelType))
    )
  }
  if (a.kind === 'type' && b.kind === 'type') return true
  return sameType(a, b)
}

/** Tries to fit types, collecting bindings as it goes; a failed try is thrown away whole. */
class Unifier {
  bindings: Bindings

  constructor(bindings: Bindings) {
    this.bindings = bindings
  }

  fits(a: CelType, b: CelType): boolean {
    if (b.kind === 'param') {
      const { valid, known } = this.#substitutes(a, b)
      if (valid) return true
      if (known) return false
    }
    if (a.kind === 'param') return this.#substitutes(b, a).valid
    if (isDynOrError(a) || isDynOrError(b)) return true
    if (a.kind === 'null') return takesNull(b)
    if (b.kind === 'null') return takesNull(a)
    if (a.kind === 'type') return b.kind === 'type'
    if (a.kind === 'list') return b.kind === 'list' && this.fits(a.element, b.element)
    if (a.kind === 'map') return b.kind === 'map' && this.fits(a.key, b.key) && this.fits(a.value, b.value)
    if (a.kind === 'opaque') {
      if (b.kind !== 'opaque' || a.name !== b.name || a.params.length !== b.params.length) return false
      return a.params.every((one, i) => this.fits(one, b.params[i] as CelType))
    }
    return sameType(a, b)
  }

  /** Whether a type may stand for a parameter, given what is known of the parameter. */
  #substitutes(type: CelType, parameter: CelType & { kind: 'param' }): { valid: boolean; known: boolean } {
    if (sameType(type, parameter)) return { valid: true, known: true }
    const bound = this.bindings.get(parameter.name)
    if (bound) {
      if (sameType(type, bound)) return { valid: true, known: true }
      if (!this.fits(type, bound)) return { valid: false, known: true }
      const general = mostGeneral(type, bound)
      if (!this.#occurs(parameter, general)) this.#bind(parameter.name, general)
      return { valid: true, known: true }
    }
    if (this.#occurs(parameter, type)) return { valid: false, known: false }
    this.#bind(parameter.name, type)
    return { valid: true, known: false }
  }

  #bind(name: string, type: CelType): void {
    this.bindings = new Map(this.bindings).set(name, type)
  }

  /** Whether a parameter occurs within a type, so that binding them would never end. */
  #occurs(parameter: CelType & { kind: 'param' }, within: CelType): boolean {
    if (sameType(parameter, within)) return true
    switch (within.kind) {
      case 'param': {
        const bound = this.bindings.get(within.name)
        return bound !== undefined && this.#occurs(parameter, bound)
      }
      case 'list':
        return this.#occurs(parameter, within.element)
      case 'map':
        return this.#occurs(parameter, within.key) || this.#occurs(parameter, within.value)
      case 'opaque':
        return within.params.some((one) => this.#occurs(parameter, one))
      case 'type':
        return within.of !== undefined && this.#occurs(parameter, within.of)
      default:
        return false
    }
  }
}

/** Types whose values may be null. */
function takesNull(type: CelType): boolean {
  return ['null', 'opaque', 'struct', 'duration', 'timestamp'].includes(type.kind)
}

/** `(int, string)`, or with a receiver `string.(int)`, as cel-go writes arguments in errors. */
export function formatArguments(args: readonly CelType[], member: boolean): string {
  const [target, ...rest] = args
  if (member && target) return `${formatType(target)}.(${rest.map(formatType).join(', ')})`
  return `(${args.map(formatType).join(', ')})`
}
