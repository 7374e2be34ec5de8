import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Folder } from './harness.ts'

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())

describe('weir agent', () => {
  test.each<[string, boolean]>([
    ['goes while the agent is still starting', false],
    ['goes while the agent serves', true],
  ])('ends when the program that started it %s', async (_reason, serving) => {
    const token = folder.file('token', 'abc')
    const child = spawn(
      process.execPath,
      [
        ...[join(import.meta.dirname, '../../cli/main.ts'), 'agent', '--gateway', 'https://127.0.0.1:1'],
        ...['--appliance', 'a/b', '--token-file', token, '--root', join(folder.path, `root-${serving}`)],
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    )
    let said = ''
    const serves = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => {
          said += text
          if (said.includes('the agent serves')) resolve()
        })
    })
    const ended = once(child, 'exit')
    if (serving) await serves
    child.disconnect()
    const killed = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const [code, signal] = await ended
    clearTimeout(killed)
    expect({ code, signal, said }).toEqual({ code: 0, signal: null, said: expect.stringContaining('the agent serves') })
  })
})
