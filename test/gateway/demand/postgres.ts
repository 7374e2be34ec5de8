import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where PostgreSQL's programs are, or undefined: Debian keeps them out of the path. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  const folders = [...versions.sort().reverse(), ...(process.env.PATH ?? '').split(':')]
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))))
}

/** A PostgreSQL server of its own on a free port of 127.0.0.1. It does not run as root, so there it runs as `nobody`. */
export async function startPostgres(programs: string) {
  const root = mkdtempSync(join(tmpdir(), 'weir-postgres-'))
  const folder = join(root, 'data')
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined) chownSync(root, user.uid, user.gid!)
  const options = { cwd: root, ...user }
  const init = ['-D', folder, '-U', 'weir', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8']
  await promisify(execFile)(join(programs, 'initdb'), init, options)
  const port = await freePort()
  const server = [
    '-D',
    folder,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `unix_socket_directories=${root}`,
  ]
  const child = spawn(join(programs, 'postgres'), server, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes('ready to accept connections')) resolve()
    })
    child.once('exit', () => reject(new Error(`postgres ended: ${said}`)))
    child.once('error', reject)
  })
  const stop = async () => {
    if (child.exitCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      await exited
    }
    rmSync(root, { recursive: true, force: true })
  }
  await ready.catch(async (error) => {
    await stop()
    throw error
  })
  return { where: `postgres://weir@127.0.0.1:${port}/postgres`, stop }
}

function idOf(flag: string): number {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
