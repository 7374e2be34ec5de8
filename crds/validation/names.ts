/**
 * What Kubernetes allows as names, labels and annotation keys. Each check returns sentences as apimachinery writes them;
 * none means the value is right. Lengths are bytes of UTF-8.
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const DNS1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const VALUE = `(${KEY})?`

const LABEL_RE = new RegExp(`^${LABEL}$`)
const SUBDOMAIN_RE = new RegExp(`^${SUBDOMAIN}$`)
const DNS1035_RE = new RegExp(`^${DNS1035}$`)
const KEY_RE = new RegExp(`^${KEY}$`)
const VALUE_RE = new RegExp(`^${VALUE}$`)

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const DNS1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const KEY_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

function shape(rule: string, regexp: string, ...examples: readonly string[]): string {
  return `${rule} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${regexp}')`
}

/** The length of a text in bytes of UTF-8, which is what Go's `len` counts. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text)
}

function tooLong(value: string, limit: number): string[] {
  return byteLength(value) > limit ? [`must be no more than ${limit} bytes`] : []
}

/** RFC 1123 label: at most 63 bytes of a-z, 0-9 and `-`. */
export function dns1123Label(value: string): string[] {
  const errors = tooLong(value, 63)
  if (LABEL_RE.test(value)) return errors
  const dotted = SUBDOMAIN_RE.test(value)
  return [...errors, dotted ? 'must not contain dots' : shape(LABEL_RULE, LABEL, 'my-name', '123-abc')]
}

/** RFC 1123 subdomain: at most 253 bytes of labels joined by dots. */
export function dns1123Subdomain(value: string): string[] {
  const errors = tooLong(value, 253)
  return SUBDOMAIN_RE.test(value) ? errors : [...errors, shape(SUBDOMAIN_RULE, SUBDOMAIN, 'example.com')]
}

/** RFC 1035 label: as RFC 1123 but starting with a letter. */
export function dns1035Label(value: string): string[] {
  const errors = tooLong(value, 63)
  return DNS1035_RE.test(value) ? errors : [...errors, shape(DNS1035_RULE, DNS1035, 'my-name', 'abc-123')]
}

/** A label key: `name` or `prefix.example.com/name`. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/')
  const errors: string[] = []
  if (parts.length > 2) {
    return [
      `a valid label key ${shape(KEY_RULE, KEY, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts[parts.length - 1] ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') errors.push('prefix part must be non-empty')
    else errors.push(...dns1123Subdomain(prefix).map((message) => `prefix part ${message}`))
  }
  if (name === '') errors.push('name part must be non-empty')
  else errors.push(...tooLong(name, 63).map((message) => `name part ${message}`))
  if (!KEY_RE.test(name)) errors.push(`name part ${shape(KEY_RULE, KEY, 'MyName', 'my.name', '123-abc')}`)
  return errors
}

/** A label value: empty, or at most 63 bytes of letters, digits, `-`, `_`, `.`. */
export function labelValue(value: string): string[] {
  const errors = tooLong(value, 63)
  return VALUE_RE.test(value) ? errors : [...errors, shape(VALUE_RULE, VALUE, 'MyValue', 'my_value', '12345')]
}

/** What may be one segment of a URL path. A prefix may be `.` or `..`, since something will follow it. */
export function pathSegment(name: string, prefix: boolean): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`)
}

/** A generateName may end in `-`, since something will follow it. */
function unDashed(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

export const nameIsDnsSubdomain = (name: string, prefix: boolean): string[] => dns1123Subdomain(unDashed(name, prefix))
export const nameIsDns1035Label = (name: string, prefix: boolean): string[] => dns1035Label(unDashed(name, prefix))
export const nameIsDnsLabel = (name: string, prefix: boolean): string[] => dns1123Label(unDashed(name, prefix))
