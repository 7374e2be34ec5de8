import { assignments } from '../../controllers/resources.ts'
import type { Assignment } from '../../crds/types.gen.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Access } from '../apiserver/connection.ts'
import { clientOf, inParallel } from './access.ts'
import { answerAsks } from './child.ts'
import { NAMESPACE } from './fleet.ts'

// The floor: a client that knows every write beforehand and does nothing else. Its requests are those of the controllers, to the letter; like theirs,
// its connections are opened by the first writes that need them.

let client: Client | undefined
let bodies: readonly Assignment[] = []

answerAsks({
  async prepare({ access, origin }: { readonly access: Access; readonly origin: string }) {
    client ??= clientOf(access)
    bodies = (await client.list(assignments, { namespace: NAMESPACE })).items.map((live) => bodyOf(live, origin))
  },
  stop() {
    client?.close()
    client = undefined
  },
  async write() {
    const writer = client
    if (!writer) throw new Error('nothing was prepared')
    await inParallel(bodies, (body) =>
      writer.apply(assignments, body, { fieldManager: 'weir-assignment', force: true }),
    )
  },
})

function bodyOf({ apiVersion, kind, metadata, spec }: Assignment, originUrl: string): Assignment {
  const { name, namespace, uid, resourceVersion, ownerReferences } = metadata
  const { content } = spec
  if (!content) throw new Error(`Assignment ${name} has no content`)
  return {
    apiVersion,
    kind,
    // In the order in which the controllers say it.
    metadata: { uid, name, namespace, ownerReferences, resourceVersion },
    spec: {
      content: {
        ...content,
        generation: content.generation + 1,
        entries: content.entries.map((entry) => ({ ...entry, originUrl })),
      },
    },
  } as Assignment
}
