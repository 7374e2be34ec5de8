import { afterAll, beforeAll } from '@jest/globals'
import { Folder, startTestServer, type TestServer } from './harness.ts'

/** A server and a folder for all tests of a file, which go with them. `server` is there once tests run. */
export function suite(): { readonly folder: Folder; readonly server: TestServer } {
  const folder = new Folder()
  let server: TestServer | undefined
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  return {
    folder,
    get server() {
      return server!
    },
  }
}
