/** Order r of the BN254 groups: circuits compute in the field of r elements. */
export const SCALAR_FIELD =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** Bytes of one field element in circom's and snarkjs' files, little-endian. */
export const FIELD_BYTES = 32

/** Reads a little-endian field element. */
export function readFieldElement(bytes: Uint8Array, offset: number): bigint {
  let value = 0n
  for (let i = FIELD_BYTES - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i]!)
  return value
}

/** Writes a little-endian field element. */
export function writeFieldElement(bytes: Uint8Array, offset: number, value: bigint): void {
  let rest = value
  for (let i = 0; i < FIELD_BYTES; i++) {
    bytes[offset + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}
