import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Done, FromLoad, Load } from './load.ts'
import { cpuSeconds, type ServerUnderTest } from './server-under-test.ts'

export interface LoadResult extends Done {
  /** CPU time of the server's processes, from the first write to the last delivery. */
  readonly serverCpuSeconds: number
}

/** Puts a load on a server from another process. */
export function runLoad(server: ServerUnderTest, load: Omit<Load, 'access'>): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)))
  child.send({ ...load, access: server.access } satisfies Load)
  return new Promise((resolve, reject) => {
    let before = 0
    child.on('message', (message: FromLoad) => {
      if (message.type === 'ready') {
        before = cpuSeconds(server)
        child.send('go')
      } else resolve({ ...message.done, serverCpuSeconds: cpuSeconds(server) - before })
    })
    child.once('exit', (code) => reject(new Error(`the load ended with ${code}`)))
  })
}
