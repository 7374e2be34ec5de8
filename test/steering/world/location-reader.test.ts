import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

test('whoever waits for a file to be read gets it, even where nothing else goes on in the process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-locations-'))
  try {
    const path = join(folder, 'coverage.csv')
    await writeFile(path, 'prefix,region\n192.0.2.0/24,DE\n')
    const reader = new URL('../../../steering/world/location-reader.ts', import.meta.url).href
    const script = `const { LocationReader } = await import(${JSON.stringify(reader)})
      const { tables } = await new LocationReader().coverage(${JSON.stringify(path)})
      console.log(tables.prefixes.count)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(stdout).toBe('1\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
