import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { freePort } from './free-port.ts'
import { accessOf, ended, type ServerUnderTest, untilReady } from './server-under-test.ts'

/** Weir's API server in a process of its own, with a new folder. */
export async function startWeir(): Promise<ServerUnderTest> {
  const folder = mkdtempSync(join(process.env.WEIR_BENCH_DIR ?? tmpdir(), 'weir-bench-'))
  const port = await freePort()
  const certificates = await ensureCertificates({ folder: join(folder, 'pki'), now: new Date() })
  const access = accessOf(`https://127.0.0.1:${port}`, certificates.authority, certificates.admin)
  const script = fileURLToPath(new URL('serve.ts', import.meta.url))
  // To look closer: WEIR_BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=DIR".
  const flags = process.env.WEIR_BENCH_NODE_FLAGS?.split(' ') ?? []
  const server = spawn(process.execPath, [...flags, script, folder, String(port)], { stdio: 'inherit' })
  await untilReady(access, server)
  return {
    name: 'Weir',
    access,
    pids: [server.pid!],
    async stop() {
      await ended(server)
      rmSync(folder, { recursive: true })
    },
  }
}
