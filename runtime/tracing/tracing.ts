import type { KubeObject } from '../../crds/metadata.ts'

export type Attributes = Readonly<Record<string, string | number>>

/** What carried a change here: the version of an object that was seen, and the trace that its author named. */
export interface Cause {
  /** `uid@resourceVersion`. */
  readonly version: string
  /** W3C traceparent. */
  readonly traceparent?: string
}

/**
 * Follows a change to its effects. Nothing is written for it alone: a process remembers which span wrote which version of an object, and whoever is
 * woken by that version goes on in its trace. Somebody else's change joins where the object carries `TRACEPARENT_ANNOTATION`; what one program of Weir
 * writes for another, such as Assignments for gateways, carries it whenever it is written anyway.
 */
export interface Tracing {
  /** Runs one reconcile in a span, under the span that caused it; further causes are linked. */
  reconcile<T extends { readonly type: string }>(
    controller: string,
    key: string,
    causes: readonly Cause[],
    work: () => Promise<T>,
  ): Promise<T>
  /** Runs whatever a change has brought about in a span, under the span that caused it; further causes are linked. */
  follow<T>(name: string, attributes: Attributes, causes: readonly Cause[], work: () => Promise<T>): Promise<T>
  /**
   * Runs one write in a span under that of the reconcile. `wrote` notes the version that came of it; `traceparent` names the span, for the object to
   * carry.
   */
  write<T>(
    name: string,
    attributes: Attributes,
    work: (wrote: (object: KubeObject) => void, traceparent: string) => Promise<T>,
  ): Promise<T>
  /** Sends what has not been sent. */
  close(): Promise<void>
}

/** Who changes an object by hand or from a pipeline may name the trace of the change here. */
export const TRACEPARENT_ANNOTATION = 'fleet.weir.dev/traceparent'

export function causeOf({ metadata }: KubeObject): Cause {
  const traceparent = metadata.annotations?.[TRACEPARENT_ANNOTATION]
  return { version: versionOf(metadata), ...(traceparent === undefined ? {} : { traceparent }) }
}

export function versionOf({ uid, resourceVersion }: KubeObject['metadata']): string {
  return `${uid}@${resourceVersion}`
}
