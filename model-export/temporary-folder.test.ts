import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withTemporaryFolder } from './temporary-folder.js'

test('the folder exists for the action and not longer', async () => {
  const listeners = process.listenerCount('exit')
  let seen = ''
  const result = await withTemporaryFolder('test', async (folder) => {
    seen = folder
    await writeFile(join(folder, 'a'), 'b')
    expect(process.listenerCount('exit')).toBe(listeners + 1)
    return 7
  })
  expect(result).toBe(7)
  expect(existsSync(seen)).toBe(false)
  expect(process.listenerCount('exit')).toBe(listeners)
})

test('an action that throws leaves no folder either', async () => {
  let seen = ''
  const failed = withTemporaryFolder('test', async (folder) => {
    seen = folder
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(existsSync(seen)).toBe(false)
})
