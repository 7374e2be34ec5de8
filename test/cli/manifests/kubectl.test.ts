import { describe, expect, test } from '@jest/globals'
import { parseManifests } from '../../../cli/manifests/manifest.ts'
import { SourceText } from '../../../cli/manifests/source-text.ts'
import { kubectl, program } from '../harness.ts'

const real = kubectl === undefined ? describe.skip : describe

/** Plain scalars that readers of YAML differ about. */
const SCALARS = [
  ...[
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'yEs',
    'on',
    'On',
    'ON',
    'n',
    'N',
    'no',
    'No',
    'NO',
    'off',
    'Off',
    'OFF',
    'oN',
    'nope',
  ],
  ...[
    'true',
    'True',
    'TRUE',
    'tRUE',
    'false',
    'False',
    'FALSE',
    'null',
    'Null',
    'NULL',
    'nULL',
    '~',
    '',
    '=',
    '<<',
    't',
    'f',
  ],
  ...[
    '0',
    '00',
    '-0',
    '+1',
    '-1',
    '1_000',
    '1__0',
    '_1',
    '1_',
    '0x1F',
    '0X1F',
    '0x_1',
    '-0x1',
    '0o17',
    '0O17',
    '0777',
    '089',
  ],
  ...[
    '0b101',
    '0B1',
    '-0b1',
    '0b',
    '0b2',
    '9007199254740991',
    '9007199254740993',
    '18446744073709551616',
    '1e3',
    '1E3',
    '12e03',
  ],
  ...[
    '1.',
    '.5',
    '+.5',
    '-.5',
    '1.5',
    '1_0.5',
    '1e400',
    '-2E+05',
    '0.0',
    '-0.0',
    '1e21',
    '.inf',
    '-.INF',
    '.nan',
    '.',
    '-',
    '+',
  ],
  ...[
    '2020-01-01',
    '2020-01-01T00:00:00Z',
    '01:30',
    '190:20:30',
    '1.2.3',
    '1e',
    'e3',
    '0x',
    '1-2',
    '0.1000000000000000055511',
  ],
]

/** Those that we refuse, in that order. */
const REFUSED = ['00', '0777', '089', '9007199254740993', '18446744073709551616', '1e400', '.inf', '-.INF', '.nan', '-']

real('plain scalars are what kubectl reads, or it is said that they are not', () => {
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {a: b}}\n'

  test('as values and as keys', async () => {
    const refused: string[] = []
    const taken: {
      readonly scalar: string
      readonly value: unknown
      readonly told: boolean
      readonly keyTold: boolean
    }[] = []
    for (const scalar of SCALARS) {
      const { manifests, problems, warnings } = parseManifests(new SourceText('f', `${head}v: ${scalar}\n`))
      const asKey = parseManifests(new SourceText('f', `${head}v: {${scalar}: 1}\n`))
      if (problems.length > 0) refused.push(scalar)
      else {
        const keyTold = asKey.warnings.length + asKey.problems.length > 0
        taken.push({ scalar, value: manifests[0]?.object.v, told: warnings.length > 0, keyTold })
      }
    }
    // What kubectl cannot keep, or keeps otherwise than it is written, is refused here.
    expect(refused).toEqual(REFUSED)
    const values = taken.map(({ scalar }, i) => `v${i}: ${scalar}\n`).join('')
    const read = await kubectlReads(head + values)
    const differ = taken.filter(({ value }, i) => JSON.stringify(value) !== JSON.stringify(read[`v${i}`]))
    expect(differ.filter(({ told }) => !told)).toEqual([])
    expect(taken.filter((one) => one.told && !differ.includes(one))).toEqual([])
    expect(differ.length).toBeGreaterThan(20)
    // Switches and numbers as keys become other keys.
    const switches = taken.filter(
      ({ scalar }) => /^(?:y|yes|on|n|no|off|1_000)$/i.test(scalar) && scalar !== 'yEs' && scalar !== 'oN',
    )
    expect(switches.filter(({ keyTold }) => !keyTold)).toEqual([])
  })

  async function kubectlReads(text: string): Promise<Record<string, unknown>> {
    const args = ['annotate', '--local', '--overwrite', '-f', '-', 'a=b', '-o', 'json']
    const { code, stdout, stderr } = await program(kubectl!, args, { input: text })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as Record<string, unknown>
  }
})
