import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from '@jest/globals'
import { openMemoryStore, openStore } from '../../../apiserver/storage/open.ts'
import { storeContract } from './contract.ts'

describe('in memory', () => storeContract(openMemoryStore))

describe('on SQLite', () => {
  const folders: string[] = []
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-store-'))
    folders.push(folder)
    return folder
  }
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })
  storeContract((options) => openStore(newFolder(), options))
})
