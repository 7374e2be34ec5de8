import type { Random } from '../../oracle/random.ts'

/** Manifest-like YAML by chance: mostly plain, sometimes everything that YAML has, sometimes broken. */
export function randomYaml(random: Random): string {
  const tame = random.chance(0.7)
  let text = block(random, tame, 4, 0).replace(/^ ?\n?/, '')
  if (random.chance(0.1)) text = text.replaceAll('\n', '\r\n')
  if (random.chance(0.1)) text = `--- \n${text}`
  return random.chance(0.05) ? text.trimEnd() : text
}

/** A text with a few characters taken out, put in, or a line moved. */
export function mutated(random: Random, text: string): string {
  let changed = text
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(changed.length)
    const kind = random.below(5)
    if (kind < 2) changed = changed.slice(0, at) + changed.slice(at + 1 + random.below(3))
    else if (kind < 4) changed = changed.slice(0, at) + random.of(INSERTED) + changed.slice(at)
    else changed = changed.slice(0, at) + changed.slice(at).replace('\n', '\n  ')
  }
  return changed
}

const INSERTED = [
  ...[
    ' ',
    '\n',
    ':',
    '#',
    '-',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    '\t',
    '|',
    '>',
    '&a',
    '*',
    '!',
    '?',
    '  ',
    ': ',
    '- ',
  ],
  ...[' #', '\r', '\ufeff', '---\n', '%', '\\', '\u0007', 'é'],
]

const TAME = [
  ...[
    'a',
    'b c',
    '1',
    '-1',
    '1.5',
    '1e3',
    'true',
    'x:y',
    'http://a/b',
    'a#b',
    '"q r"',
    "'s: t'",
    "'it''s'",
    '{}',
    '[]',
    '',
  ],
  ...[
    '[1, b]',
    '{a: {b: [1,2]}, c: d,}',
    '2020-01-01',
    'a # c',
    'NO',
    'é日',
    '{"a":"b"}',
    '[{a: b},\n            x]',
    '~',
  ],
]

const WILD = [
  ...['+5', '0x1F', '0o7', '012', '.5', '1.', '-0', '-0.0', '00', '.inf', '.nan', '9007199254740993', '1_000', '01:30'],
  ...[
    'null',
    'Null',
    'tr',
    'nu',
    '=',
    '<<',
    '<',
    '-x',
    '- a',
    '-',
    '? b',
    '*a',
    '&a x',
    '!t x',
    '!!str 1',
    '%x',
    '@x',
    '`x',
    ':',
  ],
  ...[
    '|',
    '>',
    '"a\\n\\u00e9"',
    '"\\x41"',
    '"multi',
    '"a" x',
    '"a" # c',
    '"a": 1',
    'a: b',
    'a:',
    '# c',
    'a\tb',
    'a ',
    '---',
    '...',
  ],
  ...[
    '[a: 1]',
    '{a}',
    '[1,]',
    '{a : 1}',
    '{a:1}',
    '[ ]',
    '{ a: b , c: d }',
    '[[1],[2]]',
    '[a\tb]',
    '\ufeffx',
    '["a": 1]',
  ],
]

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k1', 'f/g', 'x.y', 'l-m', '"q"', "'r'"]
const WILD_KEYS = [
  '1',
  '"1"',
  '0x1',
  '01',
  'on',
  'true',
  '~',
  'a b ',
  '<<',
  '__proto__',
  'constructor',
  'é',
  '-k',
  '?k',
  '{a: 1}',
]

function block(random: Random, tame: boolean, depth: number, indent: number): string {
  const kind = depth === 4 ? 3 + random.below(4) : random.below(depth > 0 ? 9 : 2)
  if (kind < 2) return ` ${random.of(tame || random.chance(0.8) ? TAME : WILD)}\n`
  if (kind === 2) return text(random, tame, indent)
  return kind < 6 ? map(random, tame, depth, indent) : list(random, tame, depth, indent)
}

function map(random: Random, tame: boolean, depth: number, indent: number): string {
  const left = [...KEYS]
  let out = '\n'
  for (let i = 1 + random.below(4); i > 0; i--) {
    const key = tame || random.chance(0.9) ? left.splice(random.below(left.length), 1)[0] : random.of(WILD_KEYS)
    const colon = tame || random.chance(0.9) ? ':' : random.of([' :', ':  ', ': #c'])
    if (random.chance(0.05)) out += random.of(['\n', '  # c\n', `${' '.repeat(indent)}# c\n`, '   \n'])
    const off = !tame && random.chance(0.02) ? ' ' : ''
    out += `${' '.repeat(indent)}${off}${key}${colon}${block(random, tame, depth - 1, indent + random.of([2, 2, 1, 4]))}`
  }
  return out
}

function list(random: Random, tame: boolean, depth: number, indent: number): string {
  const column = random.chance(0.3) ? Math.max(0, indent - 2) : indent
  let out = '\n'
  for (let i = 1 + random.below(4); i > 0; i--) {
    const item = block(random, tame, depth - 1, column + 2)
    // A map or a list may start behind the dash.
    const inline = item.startsWith('\n') && random.chance(0.8) ? ` ${item.slice(1).trimStart()}` : item
    out += `${' '.repeat(column)}-${inline}`
  }
  return out
}

function text(random: Random, tame: boolean, indent: number): string {
  let out = ` ${random.of(tame ? ['|', '|-', '|+', '>', '>-', '>+'] : ['|', '>+', '|2', '| # c', '>-2'])}\n`
  for (let i = random.below(5) + (tame ? 1 : 0); i > 0; i--) {
    const blank = tame ? ['\n'] : ['\n', `${' '.repeat(indent)}  \n`, '  \n']
    const further = random.chance(0.15) ? '  ' : ''
    const line = random.of([
      'text',
      'a: b',
      '- x',
      '# no comment',
      '"q"',
      'x\ty',
      '...x',
      'end ',
      ...(tame ? [] : ['\tz']),
    ])
    out += random.chance(0.25) ? random.of(blank) : `${' '.repeat(indent)}${further}${line}\n`
  }
  return out
}
