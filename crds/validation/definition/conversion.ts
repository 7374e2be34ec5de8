import { forbidden, invalid, notSupported, required } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, type Path } from '../field-path.ts'
import { parseUrl } from '../formats/url.ts'
import { dns1035Label, dns1123Subdomain } from '../names.ts'
import type { ClientConfig, Conversion } from './types.ts'

/** Versions of ConversionReview that servers understand. */
const REVIEW_VERSIONS = ['v1', 'v1beta1']

export interface ConversionOptions {
  /** At least one of the review versions must be known. */
  readonly requireKnownVersion: boolean
  readonly anyCaBundle: boolean
}

/** What is wrong with `spec.conversion`. */
export function conversionErrors(
  conversion: Conversion | undefined,
  path: Path,
  options: ConversionOptions,
): FieldError[] {
  if (!conversion) return []
  const { strategy, webhook } = conversion
  const at = child(path, 'webhookClientConfig')
  const versions = webhook?.conversionReviewVersions ?? []
  const errors = choiceErrors(strategy, ['None', 'Webhook'], child(path, 'strategy'))
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig) errors.push(...clientErrors(webhook.clientConfig, at, options))
    else errors.push(required(at, 'required when strategy is set to Webhook'))
    errors.push(...versionErrors(versions, child(path, 'conversionReviewVersions'), options))
    return errors
  }
  const unused = 'should not be set when strategy is not set to Webhook'
  if (webhook?.clientConfig) errors.push(forbidden(at, unused))
  if (versions.length > 0) errors.push(forbidden(child(path, 'conversionReviewVersions'), unused))
  return errors
}

/** One of a few texts, which must be given. */
export function choiceErrors(value: string, choices: readonly string[], path: Path): FieldError[] {
  if (value === '') return [required(path, '')]
  return choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

/** Whether a list of review versions may stay as it is. */
export function hasKnownVersion(versions: readonly string[]): boolean {
  return versions.length === 0 || versions.some((version) => REVIEW_VERSIONS.includes(version))
}

function clientErrors(config: ClientConfig, path: Path, options: ConversionOptions): FieldError[] {
  const { url, service, caBundle = '' } = config
  const errors: FieldError[] = []
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  } else if (url !== undefined) errors.push(...urlErrors(url, child(path, 'url')))
  else if (service) errors.push(...serviceErrors(service, child(path, 'service')))
  if (caBundle !== '' && !options.anyCaBundle && !isPem(caBundle)) {
    const detail = 'unable to load root certificates: unable to parse bytes as PEM block'
    errors.push(invalid(child(path, 'caBundle'), caBundle, detail))
  }
  return errors
}

/** Whether bytes in base64 hold a PEM block of a certificate. */
export function isPem(base64: string): boolean {
  const pem = Buffer.from(base64, 'base64').toString('latin1')
  return /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.test(pem)
}

function urlErrors(text: string, path: Path): FieldError[] {
  const form = '; desired format: https://host[/path]'
  const parsed = parseUrl(text)
  if (!parsed.ok) return [required(path, `url must be a valid URL: ${parsed.error}${form}`)]
  const { url } = parsed
  const errors: FieldError[] = []
  if (url.scheme !== 'https') errors.push(invalid(path, url.scheme, `'https' is the only allowed URL scheme${form}`))
  if (url.host === '') errors.push(invalid(path, url.host, `host must be specified${form}`))
  if (url.user !== '') errors.push(invalid(path, url.user, 'user information is not permitted in the URL'))
  if (url.fragment !== '') errors.push(invalid(path, url.fragment, 'fragments are not permitted in the URL'))
  if (url.rawQuery !== '') errors.push(invalid(path, url.rawQuery, 'query parameters are not permitted in the URL'))
  return errors
}

function serviceErrors(service: NonNullable<ClientConfig['service']>, path: Path): FieldError[] {
  const errors: FieldError[] = []
  const { port = 443 } = service
  // Kubernetes mixes up the two names here.
  if (service.namespace === '') errors.push(required(child(path, 'name'), ''))
  if (service.name === '') errors.push(required(child(path, 'namespace'), ''))
  if (port < 1 || port > 65535) {
    errors.push(invalid(child(path, 'port'), port, 'port is not valid: must be between 1 and 65535, inclusive'))
  }
  return service.path === undefined ? errors : [...errors, ...servicePathErrors(service.path, child(path, 'path'))]
}

function servicePathErrors(value: string, path: Path): FieldError[] {
  if (value === '/' || value === '') return []
  if (value === '//') return [invalid(path, value, 'segment[0] may not be empty')]
  const errors = value.startsWith('/') ? [] : [invalid(path, value, "must start with a '/'")]
  const segments = value.slice(1).replace(/\/$/, '').split('/')
  for (const [i, segment] of segments.entries()) {
    if (segment === '') errors.push(invalid(path, value, `segment[${i}] may not be empty`))
    else errors.push(...dns1123Subdomain(segment).map((why) => invalid(path, value, `segment[${i}]: ${why}`)))
  }
  return errors
}

function versionErrors(versions: readonly string[], path: Path, options: ConversionOptions): FieldError[] {
  if (versions.length === 0) return [required(path, '')]
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) errors.push(invalid(index(path, i), version, 'duplicate version'))
    else errors.push(...dns1035Label(version).map((why) => invalid(index(path, i), version, why)))
    seen.add(version)
  }
  if (options.requireKnownVersion && !hasKnownVersion(versions)) {
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  }
  return errors
}
