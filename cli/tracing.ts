import { hostname } from 'node:os'
import type { Tracing } from '../runtime/tracing/tracing.ts'
import type { Io } from './io.ts'
import { programVersion } from './version-number.ts'

/** Traces are sent where the standard environment names a collector; else nothing of OpenTelemetry is even loaded. */
export async function tracingOf({ env }: Io, service: string): Promise<Tracing | undefined> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return undefined
  const { startOtlpTracing } = await import('../runtime/tracing/otlp.ts')
  const name = env.OTEL_SERVICE_NAME || service
  return startOtlpTracing({ service: name, version: programVersion(), instance: env.POD_NAME || hostname() })
}
