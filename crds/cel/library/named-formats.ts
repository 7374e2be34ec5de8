import { stringFormat } from '../../validation/formats/string-formats.ts'
import { parseRequestUri } from '../../validation/formats/url.ts'
import {
  dns1035Label,
  labelValue,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  qualifiedName,
} from '../../validation/names.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { type CelType, FORMAT, listOf, optionalOf, STRING } from '../types/type.ts'
import { ArrayList, CelOpaque, CelOptional, OPTIONAL_NONE } from '../values/value.ts'

/** A format that `format.<name>()` gives, with what a text of it must be. */
export class CelFormat extends CelOpaque {
  readonly type: CelType = FORMAT
  readonly name: string
  /** How long upstream takes the pattern behind the format to be: cost depends on it. */
  readonly regexSize: number
  readonly check: (text: string) => readonly string[]

  constructor(name: string, regexSize: number, check: (text: string) => readonly string[]) {
    super()
    this.name = name
    this.regexSize = regexSize
    this.check = check
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelFormat && this.name === other.name
  }
}

const DATE_TIME_PATTERN_SIZE = 71

function ofString(name: string, regexSize: number, message: string): CelFormat {
  return new CelFormat(name, regexSize, (text) => (stringFormat(name)?.(text) ? [] : [message]))
}

const uri = (text: string): string[] => {
  const parsed = parseRequestUri(text)
  return parsed.ok ? [] : [parsed.error]
}

const FORMATS: Readonly<Record<string, CelFormat>> = {
  dns1123Label: new CelFormat('DNS1123Label', 30, (text) => nameIsDnsLabel(text, false)),
  dns1123Subdomain: new CelFormat('DNS1123Subdomain', 60, (text) => nameIsDnsSubdomain(text, false)),
  dns1035Label: new CelFormat('DNS1035Label', 30, (text) => dns1035Label(text)),
  qualifiedName: new CelFormat('QualifiedName', 60, qualifiedName),
  dns1123LabelPrefix: new CelFormat('DNS1123LabelPrefix', 30, (text) => nameIsDnsLabel(text, true)),
  dns1123SubdomainPrefix: new CelFormat('DNS1123SubdomainPrefix', 60, (text) => nameIsDnsSubdomain(text, true)),
  dns1035LabelPrefix: new CelFormat('DNS1035LabelPrefix', 30, (text) => nameIsDns1035Label(text, true)),
  labelValue: new CelFormat('LabelValue', 40, labelValue),
  uri: new CelFormat('URI', 1103, uri),
  uuid: ofString('uuid', 70, 'does not match the UUID format'),
  byte: ofString('byte', 84, 'invalid base64'),
  date: ofString('date', DATE_TIME_PATTERN_SIZE, 'invalid date'),
  datetime: ofString('datetime', DATE_TIME_PATTERN_SIZE, 'invalid datetime'),
}

/** Kubernetes' named formats. */
export const NAMED_FORMATS: Readonly<Record<string, readonly Overload[]>> = {
  validate: [
    member('format-validate', [FORMAT, STRING], optionalOf(listOf(STRING)), ([format, text]) => {
      const problems = (format as CelFormat).check(text as string)
      return problems.length === 0 ? OPTIONAL_NONE : new CelOptional(new ArrayList(problems))
    }),
  ],
  'format.named': [
    overload('format-named', [STRING], optionalOf(FORMAT), ([name]) => {
      const format = Object.hasOwn(FORMATS, name as string) ? FORMATS[name as string] : undefined
      return format ? new CelOptional(format) : OPTIONAL_NONE
    }),
  ],
  ...Object.fromEntries(
    Object.entries(FORMATS).map(([name, format]) => [
      `format.${name}`,
      [overload(`format.${name}`, [], FORMAT, () => format)],
    ]),
  ),
}
