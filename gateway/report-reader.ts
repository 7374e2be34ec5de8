import type { JsonObject, JsonValue } from '../crds/metadata.ts'
import { registry } from '../crds/registry.gen.ts'
import type { Appliance } from '../crds/types.gen.ts'
import { type CompiledSchema, compileSchema } from '../crds/validation/schema.ts'
import type { Report } from '../reconcilers/gateway/report.ts'
import { badRequest } from './http/problem.ts'

type StatusSchema = { readonly properties: Readonly<Record<string, JsonObject>> }
const BASE_URL = /^https?:\/\/[^/ ]+$/

/** Reads the body of `PUT …/status`, by the schema of Appliance.status: what is let in here, the API takes. */
export class ReportReader {
  readonly #schema: CompiledSchema

  private constructor(schema: CompiledSchema) {
    this.#schema = schema
  }

  static async create(): Promise<ReportReader> {
    const crd = (await registry.Appliance.loadCrd()) as unknown as {
      spec: { versions: [{ schema: { openAPIV3Schema: { properties: { status: StatusSchema } } } }] }
    }
    const { addresses, content, agent } = crd.spec.versions[0].schema.openAPIV3Schema.properties.status.properties
    const { version, bootId, startedAt } = (agent as unknown as StatusSchema).properties
    const properties = { version, bootId, startedAt, addresses, content } as JsonObject
    return new ReportReader(compileSchema({ type: 'object', required: Object.keys(properties), properties }))
  }

  /** Throws 400 that lists everything wrong. Fields that are not known, of a newer agent, are left out. */
  read(body: Readonly<Record<string, unknown>>): Report {
    const { object } = this.#schema.prune(body as JsonObject)
    const filled = this.#schema.applyDefaults(object)
    const errors = this.#schema.validate(filled).map(({ field, message }) => `${field}: ${message}`)
    if (errors.length === 0) errors.push(...badAddresses(filled.addresses))
    if (errors.length > 0) throw badRequest(errors.join('; '))
    const report = filled as unknown as Report & { content: NonNullable<NonNullable<Appliance['status']>['content']> }
    const { inventories: _, ...content } = report.content
    const { bootId, version, startedAt, addresses } = report
    return { bootId, version, startedAt, addresses, content }
  }
}

/** The schema's own rule for them is in CEL. */
function badAddresses(addresses: JsonValue | undefined): string[] {
  return (addresses as { url: string }[]).flatMap(({ url }, i) =>
    BASE_URL.test(url) ? [] : [`addresses[${i}].url: must be an http or https URL without a path`],
  )
}
