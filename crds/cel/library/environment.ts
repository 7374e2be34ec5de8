import { type Functions, functionsOf } from '../types/declarations.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  CIDR,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  IP,
  listOf,
  mapOf,
  NULL,
  opaque,
  param,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from '../types/type.ts'
import { CONVERSIONS } from './conversions.ts'
import { IPS } from './ips.ts'
import { LISTS } from './lists.ts'
import { NAMED_FORMATS } from './named-formats.ts'
import { OPTIONALS } from './optionals.ts'
import { QUANTITIES } from './quantities.ts'
import { REGEX } from './regex.ts'
import { SEMVERS } from './semvers.ts'
import { STANDARD } from './standard.ts'
import { STRINGS } from './strings.ts'
import { TIME } from './time.ts'
import { URLS } from './urls.ts'

/** Every function an expression may call: what Kubernetes 1.36 lets new expressions use. */
export const FUNCTIONS: Functions = functionsOf([
  STANDARD,
  CONVERSIONS,
  TIME,
  URLS,
  REGEX,
  LISTS,
  OPTIONALS,
  QUANTITIES,
  STRINGS,
  IPS,
  NAMED_FORMATS,
  SEMVERS,
])

const ANY_LIST = listOf(param('A'))
const ANY_MAP = mapOf(param('A'), param('B'))

/** A type's name in an expression: its own type, and what it is at run time, where it is anything. */
export interface TypeName {
  readonly type: CelType
  readonly value: string | undefined
}

/** Types that can be named, as in `type(x) == int`. */
export const TYPE_NAMES: ReadonlyMap<string, TypeName> = new Map(
  (
    [
      ['bool', BOOL, 'bool'],
      ['bytes', BYTES, 'bytes'],
      ['double', DOUBLE, 'double'],
      ['duration', DURATION, undefined],
      ['google.protobuf.Duration', DURATION, 'google.protobuf.Duration'],
      ['int', INT, 'int'],
      ['list', ANY_LIST, 'list'],
      ['map', ANY_MAP, 'map'],
      ['null_type', NULL, 'null_type'],
      ['string', STRING, 'string'],
      ['timestamp', TIMESTAMP, undefined],
      ['google.protobuf.Timestamp', TIMESTAMP, 'google.protobuf.Timestamp'],
      ['type', typeOf(undefined), 'type'],
      ['uint', UINT, 'uint'],
      ['optional_type', opaque('optional_type', DYN), 'optional_type'],
      ['net.IP', IP, 'net.IP'],
      ['net.CIDR', CIDR, 'net.CIDR'],
    ] as const
  ).map(([name, type, value]) => [name, { type: typeOf(type), value }]),
)
