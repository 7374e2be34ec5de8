import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { allRules, rules } from '../../../cli/validate/rules/rules.ts'
import { inProcess } from '../in-process.ts'

const meta = (kind: string, name: string, more = '') => {
  const group = /Catalog|Placement/.test(kind) ? 'content' : 'fleet'
  return `apiVersion: ${group}.weir.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}${more}}\n`
}
const site = (name: string, spec = '', more = '') =>
  `---\n${meta('Site', name, more)}spec:\n  country: DE\n  metro: fra\n${spec}`
const hardware = `---\n${meta('HardwareClass', 'big')}spec: {storageBytes: 1000, storageMedium: hdd, throughputGbps: 10}\n`
const appliance = (name: string, spec = '', more = '') =>
  `---\n${meta('Appliance', name, more)}spec:\n  siteRef: {name: fra1}\n  hardwareClassRef: {name: big}\n${spec}`
const catalog = `---\n${meta('Catalog', 'films')}spec: {source: {url: http://origin.example/catalog.ndjson}}\n`
const policy = (appliances: string, more = '') =>
  `---\n${meta('PlacementPolicy', 'p', more)}spec:\n  catalogRef: {name: films}\n  appliances: ${appliances}\n`
const steering = (spec: string) => `---\n${meta('SteeringPolicy', 's').replace('fleet.', 'edge.')}spec:\n${spec}`
const fleet = `${site('fra1', '', ', labels: {tier: edge}')}${hardware}${appliance('a', '', ', labels: {role: cache}')}`
const windows = (...list: readonly string[]) => `  fillWindows:\n${list.map((window) => `    - ${window}\n`).join('')}`

/** What is found, as `rule severity field: message`, without what every case would repeat. */
async function found(input: string, ...flags: string[]): Promise<string[]> {
  const { stdout } = await inProcess(['validate', '-f', '-', '-o', 'json', ...flags], { input })
  const { problems } = JSON.parse(stdout) as {
    problems: { rule: string; severity: string; message: string; text: string; column: number; endColumn: number }[]
  }
  return problems.map(({ rule, severity, message, text, column, endColumn }) => {
    const marked = [...text].slice(column - 1, endColumn - 1).join('')
    return `${severity} ${rule} at ${marked}: ${message}`
  })
}

describe('rules across objects', () => {
  test.each<[string, string, string[]]>([
    ['a whole fleet has nothing wrong', fleet + catalog + policy('{selector: {matchLabels: {role: cache}}}'), []],
    [
      'a parent that is not there',
      site('fra1', '  parents: [{name: hub}]\n') + site('hub1'),
      ['warning parent-not-found at hub: Site "hub" in namespace "default" is not in this set; did you mean "hub1"?'],
    ],
    [
      'a parent in another namespace',
      site('a', '  parents: [{name: b, namespace: x}]\n') + site('b', '', ', namespace: x'),
      [],
    ],
    [
      'the same missing object is told once',
      site('fra1') + appliance('a') + appliance('b'),
      ['warning hardware-class-not-found at big: HardwareClass "big" is not in this set (2 objects name it)'],
    ],
    [
      'an appliance without its site',
      hardware + appliance('a'),
      ['warning site-not-found at fra1: Site "fra1" in namespace "default" is not in this set'],
    ],
    [
      'a policy without its catalog',
      policy('{}'),
      ['warning catalog-not-found at films: Catalog "films" in namespace "default" is not in this set'],
    ],
    [
      'a steering policy that is right about the fleet',
      fleet +
        catalog +
        steering(
          '  content: {catalogs: [{name: films}]}\n  clients: {siteSelector: {matchLabels: {tier: edge}}, regions: [DE]}\n  drains: [{selector: {matchLabels: {role: cache}}}]\n',
        ),
      [],
    ],
    [
      'a steering policy without its catalog',
      steering('  content: {catalogs: [{name: films}]}\n'),
      ['warning catalog-not-found at films: Catalog "films" in namespace "default" is not in this set'],
    ],
    [
      'steering that speaks of sites, appliances and regions that are not there',
      fleet +
        steering(
          '  clients: {regions: [DK]}\n  pins: [{clients: {regions: [DE]}, siteSelector: {matchLabels: {tier: edgy}}}]\n  drains: [{selector: {matchLabels: {roll: cache}}}]\n',
        ),
      [
        'warning region-not-found at DK: no site of this set is in region "DK"',
        'warning steering-selects-nothing at edgy: selects nothing: no site of this set has the label "tier: edgy"; did you mean "edge"?',
        'warning steering-selects-nothing at roll: selects nothing: no appliance of this set has the label "roll"; did you mean "role"?',
      ],
    ],
    [
      'an object that is there, but wrong, is not missing',
      `${site('fra1', '  tier: edgy\n')}${hardware}${appliance('a')}`,
      [
        'error invalid at edgy: Unsupported value: "edgy": supported values: "edge", "regional", "origin"; did you mean "edge"?',
      ],
    ],
    [
      'sites that fill from each other',
      site('a', '  parents: [{name: b}]\n') +
        site('b', '  parents: [{name: c}]\n') +
        site('c', '  parents: [{name: d}, {name: a}]\n') +
        site('d'),
      ['warning parent-cycle at a: these sites fill from each other in a circle: a → b → c → a'],
    ],
    [
      'a site that fills from itself, by its full name',
      site('a', '  parents: [{name: a, namespace: default}]\n'),
      ['warning parent-cycle at a: a site cannot fill from itself'],
    ],
    [
      'two ways to one parent are no circle',
      site('a', '  parents: [{name: b}, {name: c}]\n') + site('b', '  parents: [{name: c}]\n') + site('c'),
      [],
    ],
    [
      'windows that never open',
      site('a', `  timeZone: Europe/Berlni\n${windows("{start: '02:00', end: '04:00'}")}`),
      [
        'error unknown-time-zone at Europe/Berlni: there is no time zone "Europe/Berlni": the windows of this site never open; did you mean "Europe/Berlin"?',
      ],
    ],
    [
      'a zone without windows',
      site('a', '  timeZone: Mars/Olympus\n'),
      ['error unknown-time-zone at Mars/Olympus: there is no time zone "Mars/Olympus"'],
    ],
    [
      'a window within a more generous one',
      site('a', windows("{start: '00:00', end: '08:00'}", "{start: '02:00', end: '04:00', maxGbps: 1}")),
      [
        "warning window-without-effect at {start: '02:00', end: '04:00', maxGbps: 1}: has no effect: whenever it is open, fillWindows[0] is open at a higher rate, and the most generous counts",
      ],
    ],
    [
      'a higher rate within a longer window',
      site('a', windows("{start: '00:00', end: '08:00', maxGbps: 1}", "{start: '02:00', end: '04:00'}")),
      [],
    ],
    [
      'past midnight, and on Monday too',
      site('a', windows("{days: [Sun], start: '22:00', end: '04:00'}", "{days: [Mon], start: '00:00', end: '02:00'}")),
      [
        "warning window-without-effect at {days: [Mon], start: '00:00', end: '02:00'}: has no effect: whenever it is open, fillWindows[0] is open anyway",
      ],
    ],
    [
      'two that cover a third together',
      site(
        'a',
        windows(
          "{start: '00:00', end: '03:00'}",
          "{start: '03:00', end: '06:00'}",
          "{start: '02:00', end: '04:00', maxGbps: 2}",
        ),
      ),
      [
        "warning window-without-effect at {start: '02:00', end: '04:00', maxGbps: 2}: has no effect: whenever it is open, fillWindows[0] and fillWindows[1] are open at a higher rate, and the most generous counts",
      ],
    ],
    [
      'the same window twice',
      site('a', windows("{start: '02:00', end: '02:00'}", "{start: '02:00', end: '02:00'}")),
      [
        "warning window-without-effect at {start: '02:00', end: '02:00'}: has no effect: whenever it is open, fillWindows[0] is open anyway",
      ],
    ],
    [
      'different caps that overlap in part',
      site('a', windows("{start: '00:00', end: '04:00', maxGbps: 1}", "{start: '02:00', end: '06:00', maxGbps: 2}")),
      [
        "warning window-overlap at {start: '02:00', end: '06:00', maxGbps: 2}: overlaps with fillWindows[0] in part; while both are open the cap is 2 Gbps",
      ],
    ],
    [
      'the same clients at two sites',
      site('a', '  network: {prefixes: [192.0.2.0/24]}\n') + site('b', '  network: {prefixes: [192.0.2.7/24]}\n'),
      ['warning prefix-overlap at 192.0.2.7/24: 192.0.2.7/24 is a prefix of Site "a" too'],
    ],
    [
      'clients of one site among those of another, IPv6',
      site('a', "  network: {prefixes: ['2001:db8::/32']}\n") +
        site('b', "  network: {prefixes: ['2001:db9::/48', '2001:db8:7::/48']}\n"),
      ['warning prefix-overlap at \'2001:db8:7::/48\': 2001:db8:7::/48 lies in 2001:db8::/32 of Site "a"'],
    ],
    [
      'prefixes that only look alike',
      site('a', "  network: {prefixes: [10.0.0.0/16, '::ffff:0:0/96']}\n") +
        site('b', '  network: {prefixes: [10.1.0.0/16]}\n'),
      [],
    ],
    [
      'the same clients in another namespace are another fleet',
      site('a', '  network: {prefixes: [192.0.2.0/24]}\n', ', namespace: x') +
        site('a', '  network: {prefixes: [192.0.2.0/24]}\n', ', namespace: z'),
      [],
    ],
    [
      'a label value that no appliance has',
      fleet + catalog + policy('{selector: {matchLabels: {role: cahce}}}'),
      [
        'warning policy-selects-nothing at cahce: selects nothing: no appliance of this set has the label "role: cahce"; did you mean "cache"?',
      ],
    ],
    [
      'a label that no site has',
      fleet + catalog + policy('{siteSelector: {matchExpressions: [{key: teir, operator: Exists}]}}'),
      [
        'warning policy-selects-nothing at teir: selects nothing: no site of this set has the label "teir"; did you mean "tier"?',
      ],
    ],
    [
      'appliances in another namespace',
      fleet +
        `---\n${meta('Catalog', 'films', ', namespace: x')}spec: {source: {url: http://o.example/c.ndjson}}\n` +
        policy('{}', ', namespace: x'),
      [
        'warning policy-selects-nothing at {}: selects no appliance of this set: there is none in namespace "x", and without a namespaceSelector no other is looked in',
      ],
    ],
    [
      'only decommissioned appliances',
      `${site('fra1')}${hardware}${appliance('a', '  mode: Decommissioned\n')}${catalog}${policy('{}')}`,
      ['warning policy-selects-nothing at {}: selects no appliance of this set but decommissioned ones'],
    ],
    [
      'a namespace of which nothing is known may have the label',
      fleet + catalog + policy('{namespaceSelector: {matchLabels: {team: a}}}'),
      [],
    ],
    [
      'a namespace of which everything is known',
      `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {team: b}}\n${fleet}${catalog}${policy('{namespaceSelector: {matchLabels: {team: a}}}')}`,
      ['warning policy-selects-nothing at a: selects nothing: no namespace of this set has the label "team: a"'],
    ],
    [
      'namespaces are known by their names at least',
      fleet + catalog + policy('{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}'),
      [
        'warning policy-selects-nothing at x: selects nothing: no namespace of this set has the label "kubernetes.io/metadata.name: x"',
      ],
    ],
    [
      'a site of which nothing is known may have the label',
      `${hardware}${appliance('a')}${catalog}${policy('{siteSelector: {matchLabels: {x: z}}}')}`,
      ['warning site-not-found at fra1: Site "fra1" in namespace "default" is not in this set'],
    ],
    ['a policy without appliances in the set', catalog + policy('{selector: {matchLabels: {role: x}}}'), []],
    [
      'one machine twice',
      fleet + appliance('b', '  serialNumber: X1\n') + appliance('c', '  serialNumber: X1\n'),
      ['warning serial-number-twice at X1: Appliance "b" has this serial number too'],
    ],
    [
      'what controllers write',
      `---\n${meta('Assignment', 'a')}spec: {}\n`,
      [
        'warning written-by-controllers at Assignment: objects of kind Assignment are written by controllers, not by people',
      ],
    ],
    [
      'what kubectl reads as something else',
      site('a', '', ', labels: {on: "x", a: yes, b: "yes", c: 1_000}'),
      [
        'warning ambiguous-text at on: on is a text here, but kubectl, Argo CD and Flux read a boolean: write it in quotes',
        'warning ambiguous-text at yes: yes is a text here, but kubectl, Argo CD and Flux read a boolean: write it in quotes',
        'warning ambiguous-text at 1_000: 1_000 is a text here, but kubectl, Argo CD and Flux read a number: write it in quotes',
      ],
    ],
    [
      'a kind that nobody here knows',
      '---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n',
      [
        'note not-checked at Deployment: apps/v1 Deployment has no definition here, so this was not checked; --crds names files with definitions',
      ],
    ],
  ])('%s', async (_reason, input, expected) => {
    expect(await found(input)).toEqual(expected)
  })

  test('a rule can be left out, and all can be errors', async () => {
    const input = site('fra1', '  parents: [{name: hub}]\n  network: {prefixes: [10.0.0.0/8, 10.1.0.0/16]}\n')
    const severities = async (...flags: string[]) => (await found(input, ...flags)).map((line) => line.split(' at ')[0])
    expect(await severities()).toEqual(['warning parent-not-found', 'warning prefix-overlap'])
    expect(await severities('--ignore', 'prefix-overlap')).toEqual(['warning parent-not-found'])
    expect(await severities('--ignore', 'prefix-overlap,parent-not-found')).toEqual([])
    expect(await severities('--strict')).toEqual(['error parent-not-found', 'error prefix-overlap'])
  })

  test('what is always an error, and what is no rule, cannot be left out', async () => {
    for (const [rule, why] of [
      ['unknown-field', 'cannot be ignored: it is always an error'],
      ['prefix-overlaps', 'is not a rule; did you mean "prefix-overlap"?'],
    ]) {
      const { code, stderr } = await inProcess(['validate', '-f', '-', '--ignore', rule!], { input: site('a') })
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`error: "${rule}" ${why}`) })
    }
  })

  test('docs/validate.md has every rule, and no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/validate.md'), 'utf8')
    const listed = [...page.matchAll(/^\| `([\w-]+)` +\| (error|warning|note)\s*\| (.*?) *\|$/gm)].map((row) =>
      row.slice(1, 4),
    )
    expect(listed).toEqual(allRules.map(({ id, severity, about }) => [id, severity, about]))
    // Every rule is tried above.
    const tried = readFileSync(import.meta.filename, 'utf8')
    expect(rules.filter(({ id }) => !tried.includes(` ${id} at `))).toEqual([])
  })
})
