import { expect, test } from '@jest/globals'
import { plan, refOf, stalled, waiting } from '../../reconcilers/plan.ts'

const catalog = {
  apiVersion: 'content.weir.dev/v1alpha1',
  kind: 'Catalog',
  metadata: { name: 'films', namespace: 'media', uid: 'u1', resourceVersion: '7' },
}

test('a plan keeps the order of its writes and speaks of its subject', () => {
  const bytes = new Uint8Array([1])
  const built = plan(catalog)
    .blob({ digest: 'sha256:x', bytes })
    .apply(catalog)
    .applyStatus([catalog, catalog])
    .create(catalog)
    .delete(refOf(catalog), { uid: 'u1' })
    .event('Normal', 'Stored', 'Stored 3 files')
    .requeueAfter(1000)
  expect(built.blobs).toEqual([{ digest: 'sha256:x', bytes }])
  expect(built.writes.map((w) => w.op)).toEqual(['apply', 'applyStatus', 'applyStatus', 'create', 'delete'])
  expect(built.events).toEqual([
    {
      regarding: {
        apiVersion: 'content.weir.dev/v1alpha1',
        kind: 'Catalog',
        namespace: 'media',
        name: 'films',
        uid: 'u1',
      },
      type: 'Normal',
      reason: 'Stored',
      message: 'Stored 3 files',
    },
  ])
  expect(built.outcome).toEqual({ type: 'requeue', afterMs: 1000 })
})

test('stalled and waiting say why', () => {
  expect(stalled(catalog, 'Bad', 'bad line').outcome).toEqual({ type: 'stalled', reason: 'Bad', message: 'bad line' })
  expect(waiting(catalog, 'Busy', 'later', 5).outcome).toEqual({
    type: 'waiting',
    reason: 'Busy',
    message: 'later',
    afterMs: 5,
  })
})

test('an event without a subject is a mistake that shows at once', () => {
  expect(() => plan().event('Normal', 'R', 'm')).toThrow('event R needs plan(subject)')
})
