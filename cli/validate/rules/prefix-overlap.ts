import type { Site } from '../../../crds/types.gen.ts'
import { parseCidr } from '../../../crds/validation/formats/ip.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'

interface Prefix {
  readonly site: Member<Site>
  readonly index: number
  readonly text: string
  /** The bits that count, as text of 0 and 1, behind its namespace and family. */
  readonly bits: string
}

/** Client prefixes of a namespace's sites that are the same, or lie in each other. Other namespaces are other fleets, or other stages of this one. */
export const prefixOverlap: Rule = {
  id: 'prefix-overlap',
  severity: 'warning',
  about: 'Clients are in the prefixes of more than one Site of a namespace, or twice in those of one.',
  *check(set: FleetSet): Generator<Finding> {
    const prefixes = set.of<Site>('Site').all.flatMap(prefixesOf)
    // In this order every prefix comes right after those that it lies in, and what lies in those.
    prefixes.sort((a, b) => (a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : 0))
    const around: Prefix[] = []
    for (const prefix of prefixes) {
      while (around.length > 0 && !prefix.bits.startsWith(around.at(-1)!.bits)) around.pop()
      const outer = around.at(-1)
      if (outer) yield overlaps(prefix, outer)
      around.push(prefix)
    }
  },
}

function prefixesOf(site: Member<Site>): Prefix[] {
  return (site.object.spec.network?.prefixes ?? []).flatMap((text, index) => {
    const cidr = parseCidr(text, true)
    if (!cidr) return []
    const { bytes } = cidr.ip
    const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
    return [{ site, index, text, bits: `${site.namespace}/${bytes.length}/${bits.slice(0, cidr.prefix)}` }]
  })
}

function overlaps(prefix: Prefix, outer: Prefix): Finding {
  const place = outer.site.manifest.placeOf(['spec', 'network', 'prefixes', outer.index], 'value')
  const same = prefix.bits === outer.bits
  const whose = prefix.site === outer.site ? 'the same site' : `Site "${outer.site.name}"`
  const also = same ? `is a prefix of ${whose} too` : `lies in ${outer.text} of ${whose}`
  return {
    manifest: prefix.site.manifest,
    path: ['spec', 'network', 'prefixes', prefix.index],
    message: `${prefix.text} ${also}`,
    related: { message: 'the other prefix is here', place },
  }
}
