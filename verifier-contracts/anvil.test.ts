import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { keeperArguments, startAnvil } from './anvil.js'
import { connect, connectWithKey } from './connect.js'

async function answers(rpcUrl: string): Promise<boolean> {
  return connect({ rpcUrl }).then(
    () => true,
    () => false,
  )
}

test('starts on free ports side by side, and is gone after stop', async () => {
  const [one, two] = await Promise.all([startAnvil(), startAnvil({ chainId: 5n })])
  try {
    expect(one.rpcUrl).not.toBe(two.rpcUrl)
    expect((await connect({ rpcUrl: one.rpcUrl })).chainId).toBe(31337n)
    expect((await connect({ rpcUrl: two.rpcUrl })).chainId).toBe(5n)
    const { publicClient, walletClient } = await connectWithKey({
      rpcUrl: one.rpcUrl,
      privateKey: one.privateKeys[0]!,
    })
    const address = walletClient.account.address
    expect(address).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')
    expect(await publicClient.getBalance({ address })).toBe(10_000n * 10n ** 18n)
  } finally {
    await Promise.all([one.stop(), two.stop()])
  }
  await one.stop()
  expect(await answers(one.rpcUrl)).toBe(false)
})

test('ends with the process that started it, even when that is killed', async () => {
  // Stands for a program of ours: starts the keeper as `startAnvil` does and waits to be killed.
  const program = `
    const { spawn } = await import('node:child_process')
    const keeper = spawn(process.execPath, ${JSON.stringify(keeperArguments())}, { stdio: ['pipe', 'inherit', 'inherit'] })
    setInterval(() => {}, 1000)
  `
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const port = await new Promise<string>((resolve) => {
    parent.stdout.on('data', (chunk) => {
      output += chunk
      const found = /Listening on 127\.0\.0\.1:(\d+)/.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const rpcUrl = `http://127.0.0.1:${port}`
  expect(await answers(rpcUrl)).toBe(true)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  for (let i = 0; i < 50 && (await answers(rpcUrl)); i++) await sleep(100)
  expect(await answers(rpcUrl)).toBe(false)
})
