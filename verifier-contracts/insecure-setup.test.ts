import { refuseInsecureSetup } from './insecure-setup.js'

test('an insecure setup stays on local chains', () => {
  for (const chainId of [31337n, 1337n])
    expect(() => refuseInsecureSetup({ chainId, insecure: true })).not.toThrow()
  for (const chainId of [1n, 0n, 10n, 11155111n, 31338n])
    expect(() => refuseInsecureSetup({ chainId, insecure: true })).toThrow('insecure setup')
})

test('unless it is forced by name, and a secure one goes anywhere', () => {
  expect(() =>
    refuseInsecureSetup({ chainId: 11155111n, insecure: true, allowInsecureSetup: true }),
  ).not.toThrow()
  expect(() => refuseInsecureSetup({ chainId: 1n, insecure: false })).not.toThrow()
})
