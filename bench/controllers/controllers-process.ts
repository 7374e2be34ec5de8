import { type Controllers, startControllers } from '../../controllers/main.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Access } from '../apiserver/connection.ts'
import { clientOf } from './access.ts'
import { answerAsks } from './child.ts'

// All of Weir's controllers, as a process to be measured. They may be stopped and started again: the process stays warm, as one that runs for
// days is.

export interface StartOptions {
  readonly access: Access
  readonly blobs: string
  /** Where `file:` sources may lie. */
  readonly root: string
}

let running: { readonly client: Client; readonly controllers: Controllers } | undefined
/** Requests that were answered, by method and code. */
const answers = new Map<string, number>()

answerAsks({
  async start({ access, blobs, root }: StartOptions) {
    const onAnswer = (method: string, code: string) => {
      const name = `${method} ${code}`
      answers.set(name, (answers.get(name) ?? 0) + 1)
    }
    const client = clientOf(access, { onAnswer })
    const controllers = startControllers({
      client,
      blobs: await openBlobStore(blobs),
      catalog: { fileRoots: [root] },
    })
    running = { client, controllers }
    await controllers.started
  },
  idle: () => running?.controllers.status.controllers.every((c) => c.waiting + c.running === 0) ?? true,
  /** Every answer since it was asked for last. */
  answers() {
    const counted = Object.fromEntries(answers)
    answers.clear()
    return counted
  },
  async stop() {
    await running?.controllers.close()
    running?.client.close()
    running = undefined
  },
})
