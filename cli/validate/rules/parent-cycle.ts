import type { Site } from '../../../crds/types.gen.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

type State = { readonly site: Member<Site>; next: number }

/** Sites that fill from each other in a circle: none of them can be the first. Each circle is told once, where it closes. */
export const parentCycle: Rule = {
  id: 'parent-cycle',
  severity: 'warning',
  about: 'Sites fill from each other in a circle.',
  *check(set: FleetSet): Generator<Finding> {
    const sites = new Map(set.of<Site>('Site').all.map((site) => [keyOf(site), site]))
    const done = new Set<string>()
    for (const start of sites.values()) {
      if (done.has(keyOf(start))) continue
      // Depth first, without recursion: chains of parents may be long.
      const path: State[] = [{ site: start, next: 0 }]
      const onPath = new Map([[keyOf(start), 0]])
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const { site } = top
        const index = top.next++
        const parent = site.object.spec.parents?.[index]
        if (!parent) {
          path.pop()
          onPath.delete(keyOf(site))
          done.add(keyOf(site))
          continue
        }
        const key = `${parent.namespace ?? site.namespace}/${parent.name}`
        const from = onPath.get(key)
        if (from !== undefined) {
          yield closes(
            path.slice(from).map((state) => state.site),
            index,
          )
          continue
        }
        const next = sites.get(key)
        if (!next || done.has(key)) continue
        onPath.set(key, path.length)
        path.push({ site: next, next: 0 })
      }
    }
  },
}

/** `circle`: each fills from the next, and the last, by its parent `index`, from the first. */
function closes(circle: readonly Member<Site>[], index: number): Finding {
  const first = circle[0]!
  const last = circle.at(-1)!
  const shown = [...circle, first].map(({ name }) => name)
  const chain = shown.length > 6 ? [...shown.slice(0, 3), '…', ...shown.slice(-2)] : shown
  const message =
    circle.length === 1
      ? 'a site cannot fill from itself'
      : `these sites fill from each other in a circle: ${chain.join(' → ')}`
  return {
    manifest: last.manifest,
    path: ['spec', 'parents', index, 'name'],
    message,
    ...(circle.length > 1
      ? { related: { message: `the circle starts here`, place: first.manifest.placeOf(['metadata', 'name'], 'value') } }
      : {}),
  }
}

const keyOf = ({ namespace, name }: Member<Site>) => `${namespace}/${name}`
