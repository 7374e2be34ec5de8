/**
 * Where a value is in its object, as a linked list from the leaf up: cheap to extend while walking, written out only when
 * something is wrong. `undefined` is the root.
 */
export interface Path {
  readonly parent: Path | undefined
  readonly step: string | number
  /** `child`: a named field, `key`: the key of a map, `index`: the place in a list. */
  readonly style: 'child' | 'key' | 'index'
}

export const child = (parent: Path | undefined, step: string): Path => ({ parent, step, style: 'child' })
export const key = (parent: Path | undefined, step: string): Path => ({ parent, step, style: 'key' })
export const index = (parent: Path | undefined, step: number): Path => ({ parent, step, style: 'index' })

/** The path from steps: names become fields, numbers become indexes. */
export function pathOf(steps: readonly (string | number)[]): Path | undefined {
  let path: Path | undefined
  for (const step of steps) path = typeof step === 'number' ? index(path, step) : child(path, step)
  return path
}

/** The steps from the root down. */
export function stepsOf(path: Path | undefined): (string | number)[] {
  const steps: (string | number)[] = []
  for (let at = path; at; at = at.parent) steps.push(at.step)
  return steps.reverse()
}

/** `spec.labels[a/b].list[0]`, as apimachinery's field.Path writes it; the root is `<nil>`. */
export function fieldString(path: Path | undefined): string {
  if (!path) return '<nil>'
  const parent = path.parent ? fieldString(path.parent) : ''
  if (path.style !== 'child') return `${parent}[${path.step}]`
  return parent === '' ? String(path.step) : `${parent}.${path.step}`
}

/** `spec.labels.a/b.list[0]`, as kube-openapi writes it in its sentences: keys of maps follow a dot, even at the root. */
export function openapiString(path: Path | undefined): string {
  if (!path) return ''
  const parent = openapiString(path.parent)
  if (path.style === 'index') return `${parent}[${path.step}]`
  return parent === '' && path.style === 'child' ? String(path.step) : `${parent}.${path.step}`
}
