import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { KubeObject } from '../../crds/metadata.ts'
import { type Attributes, type Cause, type Tracing, versionOf } from './tracing.ts'

export interface OtlpOptions {
  readonly service: string
  readonly version: string
  /** Names this process among others of the service. */
  readonly instance: string
}

/** Versions that this process wrote are remembered up to this many: they come back over the watch within moments. */
const MAX_REMEMBERED = 20_000

/**
 * Sends spans over OTLP/HTTP to where the standard environment says (`OTEL_EXPORTER_OTLP_ENDPOINT`, …_HEADERS, …_TRACES_ENDPOINT). Import this
 * module only where that is set: it loads OpenTelemetry's SDK. A collector that is not there costs spans, and nothing else.
 */
export function startOtlpTracing({ service, version, instance }: OtlpOptions): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': service,
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: 1000 })],
  })
  return new OtlpTracing(provider.getTracer('weir', version), () => provider.shutdown())
}

class OtlpTracing implements Tracing {
  readonly #tracer: Tracer
  readonly #shutdown: () => Promise<void>
  readonly #current = new AsyncLocalStorage<Context>()
  /** Which span wrote a version. */
  readonly #writers = new Map<string, SpanContext>()

  constructor(tracer: Tracer, shutdown: () => Promise<void>) {
    this.#tracer = tracer
    this.#shutdown = shutdown
  }

  async reconcile<T extends { readonly type: string }>(
    controller: string,
    key: string,
    causes: readonly Cause[],
    work: () => Promise<T>,
  ): Promise<T> {
    const attributes = { 'weir.controller': controller, 'weir.key': key }
    return await this.#follow(`reconcile ${controller}`, attributes, causes, async (span) => {
      const result = await work()
      const { type, reason, message } = result as { type: string; reason?: string; message?: string }
      span.setAttribute('weir.result', type)
      if (reason !== undefined) span.setAttribute('weir.reason', reason)
      if (type === 'retry' || type === 'stalled') span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? '' })
      return result
    })
  }

  follow<T>(name: string, attributes: Attributes, causes: readonly Cause[], work: () => Promise<T>): Promise<T> {
    return this.#follow(name, attributes, causes, work)
  }

  async write<T>(
    name: string,
    attributes: Attributes,
    work: (wrote: (object: KubeObject) => void, traceparent: string) => Promise<T>,
  ): Promise<T> {
    const context = this.#current.getStore() ?? ROOT_CONTEXT
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, context)
    const wrote = (object: KubeObject) => {
      span.setAttribute('k8s.object.resource_version', object.metadata.resourceVersion ?? '')
      this.#remember(versionOf(object.metadata), span.spanContext())
    }
    return await this.#within(span, context, () => work(wrote, formatTraceparent(span.spanContext())))
  }

  async close(): Promise<void> {
    await this.#shutdown().catch(() => {})
  }

  async #follow<T>(
    name: string,
    attributes: Attributes,
    causes: readonly Cause[],
    work: (span: Span) => Promise<T>,
  ): Promise<T> {
    const origins = causes.map((cause) => this.#origin(cause))
    const [parent, ...others] = origins.filter((found) => found !== undefined)
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    const links = others.map((other): Link => ({ context: other }))
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links }, context)
    return await this.#within(span, context, async () => {
      const result = await work(span)
      // A change may come over the watch before the answer to its write has come.
      causes.forEach((cause, i) => {
        const late = origins[i] ? undefined : this.#origin(cause)
        if (late) span.addLink({ context: late })
      })
      return result
    })
  }

  async #within<T>(span: Span, context: Context, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#current.run(trace.setSpan(context, span), work)
    } catch (error) {
      span.setAttribute('weir.result', 'error')
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      span.end()
    }
  }

  #origin({ version, traceparent }: Cause): SpanContext | undefined {
    return this.#writers.get(version) ?? (traceparent === undefined ? undefined : parseTraceparent(traceparent))
  }

  #remember(version: string, writer: SpanContext): void {
    this.#writers.set(version, writer)
    if (this.#writers.size <= MAX_REMEMBERED) return
    for (const oldest of this.#writers.keys()) {
      this.#writers.delete(oldest)
      return
    }
  }
}

/** W3C Trace Context, version 00. */
const formatTraceparent = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`

/** W3C Trace Context, version 00. Undefined where it is malformed. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text)
  if (!match || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return undefined
  return { traceId: match[1]!, spanId: match[2]!, traceFlags: Number.parseInt(match[3]!, 16) & 1, isRemote: true }
}
