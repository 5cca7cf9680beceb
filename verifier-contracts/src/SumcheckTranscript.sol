// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS, P, Q, SumcheckField, add, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";

/// @title Reading a proof
/// @notice Lengths and encodings (`docs/protocol.md` §4.2), the transcript (§5) and the rounds of the
/// sumchecks (§6, §7.2).
/// @dev The challenges depend on the proof's bytes only, so all are drawn in one pass, before any claim is
/// computed.
library SumcheckTranscript {
    uint256 private constant INITIAL_STATE = uint256(keccak256("platemark.sumcheck.v2"));

    /// @notice The proof does not have the one length that proofs of this model have.
    error ProofLengthInvalid(uint256 length, uint256 expected);
    /// @notice The scalar at byte `offset` of the proof is not below p.
    error ScalarNotCanonical(uint256 offset, uint256 value);
    /// @notice The point at byte `offset` of the proof has a coordinate out of range or is not on the curve.
    error PointNotOnCurve(uint256 offset);

    /// @notice Reads the shape of the key, finds the parts of the proof and checks its length.
    /// @param key The encoded key.
    /// @param proof The proof.
    function open(bytes calldata key, bytes calldata proof) internal pure returns (Run memory run) {
        unchecked {
            uint256 at;
            uint256 size;
            assembly ("memory-safe") {
                at := key.offset
                size := proof.offset
            }
            run.keyAt = at;
            run.proofAt = size;
            at += Key.NUMBERS;
            run.n = Key.u8(at);
            run.committed = Key.u8(at + 1) & Key.COMMITTED != 0;
            run.firstColumns = Key.u8(at + 2);
            run.secondColumns = Key.u8(at + 3);
            run.keyColumns = Key.u8(at + 4);
            run.limbs = Key.u8(at + 5);
            run.limbBits = Key.u8(at + 6);
            run.activationBits = Key.u8(at + 7);
            run.copyBits = Key.u8(at + 8);
            run.tableBits = Key.u8(at + 9);
            run.phaseOne = Key.u8(at + 10);
            run.phaseTwo = Key.u8(at + 11);
            run.outputBits = Key.u8(at + 12);
            run.terms = Key.u16(at + 13);
            run.lookups = run.activationBits > run.tableBits ? run.activationBits : run.tableBits;
            run.columns = run.firstColumns + run.secondColumns + run.keyColumns;
            uint256 more = run.committed ? 1 : 0;
            at = run.proofAt;
            run.secondAt = at += 64 * (run.firstColumns + more);
            run.sumAt = at += 64 * run.secondColumns;
            run.phaseOneAt = at += 32 * (1 + more);
            run.valuesAt = at += 64 * run.phaseOne;
            run.phaseTwoAt = at += 32 * run.terms;
            run.lookupsAt = at += 64 * run.phaseTwo;
            run.inversesAt = at += 64 * run.lookups;
            run.mergeAt = at += 32 * (run.limbs + 2);
            run.columnsAt = at += 64 * run.n;
            run.openingAt = at += 32 * run.columns;
            run.evaluationsAt = at += 64 * 7;
            run.proofEnd = at += 32 * 7;
            size = at - run.proofAt;
            if (proof.length != size) revert ProofLengthInvalid(proof.length, size);
        }
    }

    /// @notice Checks every point and every scalar, draws all challenges and follows the claims.
    /// @param run Made by `open`; challenges and last claims are written.
    /// @param seed The statement's seed.
    /// @param context The statement's context.
    /// @param imageHash The statement's image hash.
    function read(Run memory run, uint256 seed, bytes32 context, bytes32 imageHash) internal pure {
        unchecked {
            _requirePoints(run.proofAt, run.proofAt, run.sumAt);
            uint256 evaluations = run.evaluationsAt;
            _requirePoints(run.proofAt, run.openingAt, evaluations);
            _allocate(run);
            uint256 buffer = _start(run, seed, context, imageHash);
            run.beta = _state(buffer) % P;
            run.alpha = _draw(buffer);

            _absorb(buffer, run.secondAt, run.sumAt);
            _drawSecond(buffer, run);
            _absorb(buffer, run.sumAt, run.phaseOneAt);
            bool ok = _canonical(run.sumAt, run.phaseOneAt);
            bool valid;
            uint256 claim = _word(run.sumAt);
            (run.e1, valid) = _plainRounds(buffer, run.phaseOneAt, run.phaseOne, run.a, claim);
            ok = ok && valid;

            run.eta = _absorb(buffer, run.valuesAt, run.phaseTwoAt);
            (claim, valid) = horner(run.valuesAt, run.phaseTwoAt, run.eta);
            ok = ok && valid;
            (run.e2, valid) = _plainRounds(buffer, run.phaseTwoAt, run.phaseTwo, run.b, claim);
            ok = ok && valid;

            (run.e3, valid) = _eqRounds(buffer, run);
            ok = ok && valid;
            run.nu = _absorb(buffer, run.inversesAt, run.mergeAt);
            ok = ok && _canonical(run.inversesAt, run.mergeAt);

            (run.e4, valid) = _plainRounds(buffer, run.mergeAt, run.n, run.rho, 0);
            ok = ok && valid;
            run.mu = _absorb(buffer, run.columnsAt, run.openingAt);
            ok = ok && _canonical(run.columnsAt, run.openingAt);

            uint256 at = run.openingAt;
            run.chi = _absorb(buffer, at, at + 64);
            run.theta = _absorb(buffer, at + 64, at + 192);
            run.zeta = _absorb(buffer, at + 192, at + 320);
            // The inverse behind them is determined by the challenges.
            run.delta = _absorb(buffer, evaluations, run.proofEnd - 32);
            ok = ok && _canonical(evaluations, run.proofEnd);
            run.w = _absorb(buffer, at + 320, at + 384);
            if (!ok) _revertWithScalar(run);
        }
    }

    /// @notice Σ scale^i · word_i over the words of calldata from `at` to `end`.
    /// @return sum Reduced.
    /// @return ok Whether all words are below p.
    function horner(uint256 at, uint256 end, uint256 scale)
        internal
        pure
        returns (uint256 sum, bool ok)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            ok := 1
            for {} gt(end, at) {} {
                end := sub(end, 32)
                let value := calldataload(end)
                ok := and(ok, lt(value, p))
                sum := addmod(mulmod(sum, scale, p), value, p)
            }
        }
    }

    /// @dev Memory for challenges: r, a, b, s, zeros, ρ and one 0 side by side, then τ.
    function _allocate(Run memory run) private pure {
        unchecked {
            uint256 high = run.outputBits > run.n ? run.outputBits - run.n : 0;
            uint256 at = allocate(
                run.outputBits + run.phaseOne + run.phaseTwo + 2 * run.lookups + high + run.n + 1
            );
            run.slots = at;
            run.rEnd = at += 32 * run.outputBits;
            run.a = at;
            run.b = at += 32 * run.phaseOne;
            run.sEnd = at += 32 * (run.phaseTwo + run.lookups);
            run.rho = at += 32 * high;
            run.tau = at + 32 * (run.n + 1);
        }
    }

    /// @notice Zeroed words of memory.
    function allocate(uint256 words) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
            let size := shl(5, words)
            calldatacopy(at, calldatasize(), size)
            mstore(0x40, add(at, size))
        }
    }

    /// @notice Words of memory that are written before they are read.
    function reserve(uint256 words) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(0x40, add(at, shl(5, words)))
        }
    }

    /// @dev The first step's message; returns where the state is: messages are put behind it, beyond
    /// everything allocated.
    function _start(Run memory run, uint256 seed, bytes32 context, bytes32 imageHash)
        private
        pure
        returns (uint256 buffer)
    {
        uint256 key = run.keyAt;
        uint256 from = run.proofAt;
        uint256 size = run.secondAt - from;
        uint256 initial = INITIAL_STATE;
        bool conditioned = run.conditionKinds != 0;
        bytes32 conditions = run.conditionsHash;
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore(buffer, initial)
            // The key starts with its digest.
            calldatacopy(add(buffer, 32), key, 32)
            mstore(add(buffer, 64), seed)
            mstore(add(buffer, 96), context)
            mstore(add(buffer, 128), imageHash)
            let at := add(buffer, 160)
            if conditioned {
                mstore(at, conditions)
                at := add(at, 32)
            }
            calldatacopy(at, from, size)
            mstore(buffer, keccak256(buffer, sub(add(at, size), buffer)))
        }
    }

    function _state(uint256 buffer) private pure returns (uint256 state) {
        assembly ("memory-safe") {
            state := mload(buffer)
        }
    }

    function _word(uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }

    /// @dev Absorbs calldata and draws a challenge.
    function _absorb(uint256 buffer, uint256 at, uint256 end)
        private
        pure
        returns (uint256 challenge)
    {
        assembly ("memory-safe") {
            let size := sub(end, at)
            calldatacopy(add(buffer, 32), at, size)
            let state := keccak256(buffer, add(size, 32))
            mstore(buffer, state)
            challenge := mod(state, mload(MODULUS))
        }
    }

    /// @dev A further challenge of a step.
    function _draw(uint256 buffer) private pure returns (uint256 challenge) {
        assembly ("memory-safe") {
            let state := keccak256(buffer, 32)
            mstore(buffer, state)
            challenge := mod(state, mload(MODULUS))
        }
    }

    /// @dev What is drawn after the second commitments: r, γ, z, τ, λ.
    function _drawSecond(uint256 buffer, Run memory run) private pure {
        unchecked {
            // The state already gives the first challenge; `outputBits` is positive.
            uint256 at = run.slots;
            uint256 first = _state(buffer) % P;
            assembly ("memory-safe") {
                mstore(at, first)
            }
            _drawTo(buffer, at + 32, run.rEnd);
            run.gamma = _draw(buffer);
            run.z = _draw(buffer);
            _drawTo(buffer, run.tau, run.tau + 32 * run.lookups);
            run.lambda = _draw(buffer);
        }
    }

    function _drawTo(uint256 buffer, uint256 at, uint256 end) private pure {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            // Two a turn; a single one first.
            if and(sub(end, at), 32) {
                let state := keccak256(buffer, 32)
                mstore(buffer, state)
                mstore(at, mod(state, p))
                at := add(at, 32)
            }
            for {} lt(at, end) { at := add(at, 64) } {
                let state := keccak256(buffer, 32)
                mstore(buffer, state)
                mstore(at, mod(state, p))
                state := keccak256(buffer, 32)
                mstore(buffer, state)
                mstore(add(at, 32), mod(state, p))
            }
        }
    }

    /// @dev Plain rounds: c₀ and c₂ are sent, c₁ = e − 2c₀ − c₂.
    function _plainRounds(uint256 buffer, uint256 at, uint256 count, uint256 out, uint256 claim)
        private
        pure
        returns (uint256 last, bool ok)
    {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            let triple := mul(3, p)
            let message := add(buffer, 32)
            last := claim
            ok := 1
            for { let end := add(out, shl(5, count)) } lt(out, end) { out := add(out, 32) } {
                calldatacopy(message, at, 64)
                let state := keccak256(buffer, 96)
                mstore(buffer, state)
                let x := mod(state, p)
                mstore(out, x)
                let c0 := mload(message)
                let c2 := mload(add(message, 32))
                ok := and(ok, and(lt(c0, p), lt(c2, p)))
                // c₀ + x·(c₁ + x·c₂); the sum in brackets is below 5p < 2^256.
                let inner := add(add(mulmod(x, c2, p), last), sub(triple, add(c0, add(c0, c2))))
                last := addmod(mulmod(x, inner, p), c0, p)
                at := add(at, 64)
            }
        }
    }

    /// @dev Rounds of the lookups: c₁ and c₂ are sent, c₀ = e − τᵢ(c₁ + c₂). Starts with the claim
    /// lead_A(τ)·Σ λ^e of §6.4.
    function _eqRounds(uint256 buffer, Run memory run)
        private
        pure
        returns (uint256 last, bool ok)
    {
        unchecked {
            uint256 tau = run.tau;
            uint256 lead = run.lookups - run.activationBits;
            last = 1;
            for (uint256 e = 0; e < run.limbs; ++e) {
                last = add(mul(last, run.lambda), 1);
            }
            last = mul(last, SumcheckField.zeroProduct(tau, lead));
            uint256 at = run.lookupsAt;
            uint256 end = run.sEnd;
            uint256 out = end - 32 * run.lookups;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let message := add(buffer, 32)
                ok := 1
                for {} lt(out, end) { out := add(out, 32) } {
                    calldatacopy(message, at, 64)
                    let state := keccak256(buffer, 96)
                    mstore(buffer, state)
                    let x := mod(state, p)
                    mstore(out, x)
                    let c1 := mload(message)
                    let c2 := mload(add(message, 32))
                    ok := and(ok, and(lt(c1, p), lt(c2, p)))
                    let c0 := add(last, sub(p, mulmod(mload(tau), add(c1, c2), p)))
                    last := addmod(mulmod(x, add(c1, mulmod(x, c2, p)), p), c0, p)
                    tau := add(tau, 32)
                    at := add(at, 64)
                }
            }
        }
    }

    /// @dev Whether all words of calldata from `at` to `end` are below p.
    function _canonical(uint256 at, uint256 end) private pure returns (bool ok) {
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            ok := 1
            for {} lt(at, end) { at := add(at, 32) } { ok := and(ok, lt(calldataload(at), p)) }
        }
    }

    /// @dev Finds the scalar that is not canonical.
    function _revertWithScalar(Run memory run) private pure {
        unchecked {
            uint256 at = run.sumAt;
            while (at < run.proofEnd) {
                if (_word(at) >= P) revert ScalarNotCanonical(at - run.proofAt, _word(at));
                at += 32;
                if (at == run.openingAt) at = run.evaluationsAt;
            }
        }
    }

    /// @dev Requires y² = x³ + 3 with coordinates below q, or infinity, which is two zeros.
    function _requirePoints(uint256 start, uint256 at, uint256 end) private pure {
        bool ok = true;
        assembly ("memory-safe") {
            let q := Q
            for {} lt(at, end) { at := add(at, 64) } {
                let x := calldataload(at)
                let y := calldataload(add(at, 32))
                let cube := mulmod(mulmod(x, x, q), x, q)
                ok := and(and(lt(x, q), lt(y, q)), eq(mulmod(y, y, q), addmod(cube, 3, q)))
                if iszero(or(ok, or(x, y))) { ok := 1 }
                if iszero(ok) { break }
            }
        }
        if (!ok) revert PointNotOnCurve(at - start);
    }
}
