import { objectKey } from '../../../apiserver/storage/keys.ts'
import type { EventBatch, Store, Stored, StoreEvent, Watch } from '../../../apiserver/storage/store.ts'
import type { KubeObject } from '../../../crds/metadata.ts'

export interface ConfigMap extends KubeObject {
  readonly data: Readonly<Record<string, string>>
}

export function configMapKey(name: string, namespace = 'default'): string {
  return objectKey('', 'configmaps', namespace, name)
}

export function configMap(name: string, text = '', namespace = 'default'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { text } }
}

export function put(store: Store, name: string, text = '', namespace = 'default'): Promise<Stored> {
  return store.transact((tx) => tx.put(configMapKey(name, namespace), configMap(name, text, namespace)))
}

export function remove(store: Store, name: string, namespace = 'default'): Promise<Stored | undefined> {
  return store.transact((tx) => tx.delete(configMapKey(name, namespace)))
}

export function textOf(stored: Stored | undefined): string | undefined {
  return (stored?.value as ConfigMap | undefined)?.data.text
}

/** A sink that keeps what it gets; full whenever `room` says so. */
export class Recorder {
  readonly batches: EventBatch[] = []
  ended: 'Compacted' | 'Closed' | undefined
  room = true
  watch: Watch | undefined

  get events(): StoreEvent[] {
    return this.batches.flat()
  }

  /** Compact: `ADDED a=1 <- 0`. */
  get lines(): string[] {
    return this.events.map(({ type, current, previous }) => {
      const line = `${type} ${current.value.metadata.name}=${textOf(current)}`
      return previous ? `${line} <- ${textOf(previous)}` : line
    })
  }

  /** Resolves once so many events have come. */
  async whenTold(count: number): Promise<void> {
    while (this.events.length < count) await new Promise((resolve) => setImmediate(resolve))
  }

  readonly sink = {
    events: (batch: EventBatch): boolean => {
      this.batches.push(batch)
      return this.room
    },
    end: (reason: 'Compacted' | 'Closed'): void => {
      this.ended = reason
    },
  }
}

export function record(store: Store, prefix: string, afterRevision: number, room = true): Recorder {
  const recorder = new Recorder()
  recorder.room = room
  recorder.watch = store.watch(prefix, afterRevision, recorder.sink)
  return recorder
}
