import { TestEnvironment } from 'jest-environment-node'

/**
 * Jest gives each test file its own JavaScript realm, so `instanceof Float32Array` fails for arrays
 * that cross into native addons (onnxruntime-node checks it). This environment shares the typed
 * array constructors of the outer realm instead.
 */
export default class NodeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context)
    for (const name of [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'Uint8Array',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'Float32Array',
      'Float64Array',
      'BigInt64Array',
      'BigUint64Array',
      'DataView',
    ])
      this.global[name] = globalThis[name]
  }
}
