// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MODULUS, SumcheckField as Field, add, embed, mul, sub} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckTranscript} from "./SumcheckTranscript.sol";
import {SumcheckWiring as Wiring} from "./SumcheckWiring.sol";

/// @title The claims and the merging
/// @notice Values and weights of all claims (`docs/protocol.md` §6), merged by powers of ν (§7).
/// @dev Everything is evaluated once all challenges are known, so a claim adds to two numbers: its value,
/// and Σ over the columns of its weight at ρ times the column at ρ.
library SumcheckClaims {
    /// @dev More bits than any group has: `_at` then sees all columns of the key group.
    uint256 private constant KEY_BITS = 64;

    /// @notice The columns do not have the values that the last claim says.
    error ClaimMismatch();

    /// @dev Sums over nodes and terms; left: weights times columns, right: values.
    struct Sums {
        uint256 gamma;
        uint256 eta;
        uint256 valueAt;
        uint256 left0;
        uint256 left1;
        uint256 left2;
        uint256 right0;
        uint256 right1;
        uint256 right2;
        uint256 tags;
        // λ^e·h_e(s) for e = 0 … L, in memory.
        uint256 scaled;
        // Everything beyond is free.
        uint256 scratch;
    }

    /// @notice Checks the last claim of the merging.
    function check(Run memory run) internal pure {
        uint256 product = 1;
        uint256 rho = run.rho;
        uint256 end = rho + 32 * run.n;
        assembly ("memory-safe") {
            let p := mload(MODULUS)
            for {} lt(rho, end) { rho := add(rho, 32) } {
                product := mulmod(product, mload(rho), p)
            }
        }
        // A round maps its claim e to x·e + c₀(1 − 2x) + c₂(x² − x): `e4` started from 0.
        uint256 last = add(run.e4, mul(product, run.value));
        if (last != run.weighted) revert ClaimMismatch();
    }

    /// @notice The columns at ρ by region: values[i] is what the i-th column of the region contributes, a
    /// smaller region's value being multiplied by eq(prefix, ρ′). Also the products that blocks share.
    function prepare(Run memory run) internal pure {
        unchecked {
            uint256 n = run.n;
            uint256 short = run.outputBits < n ? run.outputBits : n;
            uint256 end = run.rho + 32 * n;
            run.eqR = SumcheckTranscript.allocate(short + 1);
            Field.eqSuffixes(run.rEnd, end, short, run.eqR);
            short = run.lookups < n ? run.lookups : n;
            run.eqS = SumcheckTranscript.allocate(short + 1);
            Field.eqSuffixes(run.sEnd, end, short, run.eqS);
            run.padA = SumcheckTranscript.allocate(run.phaseOne + 1);
            Field.zeroSuffixes(run.a, run.phaseOne, run.padA);
            run.padB = SumcheckTranscript.allocate(run.phaseTwo + 1);
            Field.zeroSuffixes(run.b, run.phaseTwo, run.padB);

            run.rhoPairs = SumcheckTranscript.allocate(2 * n);
            Field.pairs(run.rho, n, run.rhoPairs);
            run.sPairs = SumcheckTranscript.allocate(2 * run.lookups);
            Field.pairs(run.sEnd - 32 * run.lookups, run.lookups, run.sPairs);

            uint256 limbs = run.limbs;
            uint256 first = run.columnsAt;
            uint256 second = first + 32 * run.firstColumns;
            uint256 key = second + 32 * run.secondColumns;
            uint256 at = run.keyAt + Key.REGIONS;
            uint256 bits = run.activationBits;
            uint256 chunks = _chunks(bits, n);
            run.activationChunks = chunks;
            uint256 out = SumcheckTranscript.allocate((2 * limbs + 3) * chunks);
            run.quotient = out;
            run.output = out + 32 * chunks;
            run.firstLimb = out + 64 * chunks;
            for (uint256 i = 0; i < limbs + 2; ++i) {
                out = _region(run, at, first, bits, out);
                at += 5;
            }
            run.firstInverse = out;
            for (uint256 i = 0; i < limbs + 1; ++i) {
                out = _region(run, at, second, bits, out);
                at += 5;
            }
            bits = run.tableBits;
            chunks = _chunks(bits, n);
            run.tableChunks = chunks;
            out = SumcheckTranscript.allocate(3 * chunks);
            run.multiplicity = out;
            run.tableInverse = out = _region(run, at, first, bits, out);
            run.tableOutput = out = _region(run, at + 5, second, bits, out);
            _region(run, at + 10, key, bits, out);
            bits = run.copyBits;
            if (bits != Key.NO_COPY) {
                run.copies = SumcheckTranscript.allocate(_chunks(bits, n));
                _region(run, at + 15, first, bits, run.copies);
            }
            uint256 size = 32 * run.keyColumns;
            out = SumcheckTranscript.allocate(run.keyColumns);
            run.keyValues = out;
            assembly ("memory-safe") {
                calldatacopy(out, key, size)
            }
        }
    }

    /// @notice Claims 0, 1 and 2: what the nodes compute (§6.1–§6.3). Claims 3, 4 and 6 …: the lookups
    /// (§6.4).
    function nodesAndLookups(Run memory run) internal pure {
        unchecked {
            Sums memory sums;
            sums.gamma = 1;
            sums.eta = 1;
            sums.valueAt = run.valuesAt;
            sums.scaled = SumcheckTranscript.allocate(run.limbs + 1);
            uint256 lambda = 1;
            for (uint256 e = 0; e <= run.limbs; ++e) {
                _set(sums.scaled + 32 * e, mul(lambda, _word(run.inversesAt + 32 * e)));
                lambda = mul(lambda, run.lambda);
            }
            assembly ("memory-safe") {
                lambda := mload(0x40)
            }
            sums.scratch = lambda;

            uint256 at = run.keyAt + Key.u16(run.keyAt + Key.SECTIONS + 6);
            uint256 count = Key.u16(at);
            at += 2;
            for (; count > 0; --count) {
                at = Key.u8(at) == 0 ? _affine(run, sums, at + 1) : _copy(run, sums, at + 1);
                sums.gamma = mul(sums.gamma, run.gamma);
            }
            uint256 nu = run.nu;
            uint256 nu2 = mul(nu, nu);
            sums.right0 = add(sums.right0, _word(run.sumAt));
            sums.right1 = sub(run.e1, sums.right1);
            sums.right2 = sub(run.e2, sums.right2);
            run.weighted = add(add(sums.left0, mul(nu, sums.left1)), mul(nu2, sums.left2));
            run.value = add(add(sums.right0, mul(nu, sums.right1)), mul(nu2, sums.right2));
            _lookups(run, sums, mul(nu, nu2));
        }
    }

    /// @dev Claims 3, 4, 6 … (§6.4).
    function _lookups(Run memory run, Sums memory sums, uint256 nu3) private pure {
        unchecked {
            uint256 limbs = run.limbs;
            uint256 bits = run.activationBits;
            uint256 chunks = run.activationChunks;
            uint256 nu4 = mul(nu3, run.nu);
            uint256 nu = mul(mul(nu4, run.nu), run.nu);
            uint256 left3;
            // Σ_e λ^e·h_e, and Σ_e λ^e·h_e·(region of f_e without its tag) / β
            uint256 inverses;
            uint256 read;
            uint256 beta2 = mul(run.beta, run.beta);
            for (uint256 e = 0; e <= limbs; ++e) {
                uint256 values = run.firstInverse + 32 * chunks * e;
                left3 = add(left3, _sum(values, chunks));
                _equals(run, nu, _atS(run, values, bits), _word(run.inversesAt + 32 * e));
                nu = mul(nu, run.nu);
                uint256 scaled = _get(sums.scaled + 32 * e);
                inverses = add(inverses, scaled);
                uint256 f;
                if (e == 0) {
                    f = add(
                        _atS(run, run.quotient, bits), mul(run.beta, _atS(run, run.output, bits))
                    );
                } else {
                    f = _atS(run, run.firstLimb + 32 * chunks * (e - 1), bits);
                }
                read = add(read, mul(scaled, f));
            }
            uint256 leadA = Field.prefix(0, run.sPairs, run.lookups - run.activationBits);
            uint256 scale = mul(run.beta, leadA);
            uint256 left4 = sub(0, mul(scale, read));
            uint256 right4 = sub(mul(inverses, run.alpha), sums.tags);
            right4 = sub(run.e3, mul(leadA, right4));

            bits = run.tableBits;
            chunks = run.tableChunks;
            uint256 g = _word(run.inversesAt + 32 * (limbs + 1));
            left3 = sub(left3, _sum(run.tableInverse, chunks));
            _equals(run, nu, _atS(run, run.tableInverse, bits), g);
            uint256 leadT = Field.prefix(0, run.sPairs, run.lookups - run.tableBits);
            leadT = mul(leadT, Field.power(run.lambda, limbs + 1));
            uint256 t = mul(mul(g, beta2), _atS(run, run.tableOutput, bits));
            t = add(t, _atS(run, run.multiplicity, bits));
            left4 = sub(left4, mul(leadT, t));
            t = sub(run.alpha, _rowKeys(run));
            right4 = sub(right4, mul(leadT, mul(g, t)));

            _equals(run, nu3, left3, 0);
            _equals(run, nu4, left4, right4);
        }
    }

    /// @dev Takes `left = right` into the merged claim.
    function _equals(Run memory run, uint256 scale, uint256 left, uint256 right) private pure {
        run.weighted = add(run.weighted, mul(scale, left));
        run.value = add(run.value, mul(scale, right));
    }

    /// @notice Claim 5 (§6.5): the image's block has the value of what stands for the image.
    /// @param imageValue Σ z^i·P_i, or y.
    function image(Run memory run, uint256 imageValue) internal pure {
        unchecked {
            uint256 nu = Field.power(run.nu, 5);
            uint256 at = run.keyAt + Key.u16(run.keyAt + Key.SECTIONS + 4);
            uint256 space = Key.u8(at);
            uint256 offset = Key.u40(at + 1);
            uint256 bits = Key.u8(at + 6);
            at += 7;
            uint256 n = run.n;
            (uint256 values, uint256 regionBits) = _space(run, space);
            values += 32 * (offset >> n);
            uint256 left;
            if (bits <= n) {
                uint256 top = regionBits < n ? regionBits : n;
                uint256 prefix =
                    Field.prefix(offset >> bits, run.rhoPairs + 64 * (n - top), top - bits);
                left = mul(mul(prefix, _get(values)), _imageWeight(run, at));
            } else {
                // The entries before ρ are the number of the column within the block.
                uint256 high = bits - n;
                for (uint256 i = 0; i < 1 << high; ++i) {
                    for (uint256 k = 0; k < high; ++k) {
                        _set(run.rho - 32 * (k + 1), (i >> k) & 1);
                    }
                    uint256 weight = _imageWeight(run, at);
                    left = add(left, mul(_get(values + 32 * i), weight));
                }
            }
            _equals(run, nu, left, imageValue);
        }
    }

    /// @dev The image's weights at the end of ρ (§7.3).
    function _imageWeight(Run memory run, uint256 at) private pure returns (uint256 weight) {
        unchecked {
            weight = 1;
            uint256 count = Key.u8(at++);
            for (; count > 0; --count) {
                uint256 base = Field.power(run.z, Key.u32(at));
                uint256 factor = Field.geometric(
                    Key.u32(at + 4), base, run.slots + 32 * Key.u8(at + 8), Key.u8(at + 9)
                );
                weight = mul(weight, factor);
                at += 10;
            }
            if (run.committed) return weight;
            uint256 scratch;
            assembly ("memory-safe") {
                scratch := mload(0x40)
            }
            (count, at) = Wiring.table(run.slots, at, scratch);
            uint256 channels = scratch + 32 * count;
            uint256 width;
            (width, at) = Wiring.table(run.slots, at, channels);
            uint256 z = run.z;
            uint256 packed;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let end := add(channels, shl(5, width))
                // The bytes of a whole pixel, where they lie in one word.
                let pixel := 0
                for { let c := channels } lt(c, end) { c := add(c, 32) } {
                    pixel := add(mulmod(pixel, 256, p), mload(c))
                }
                let pixelScale := shl(shl(3, width), 1)
                // Words by Horner; `power` is z^(words before).
                let power := 1
                let word := 0
                let used := 0
                for {} lt(scratch, channels) { scratch := add(scratch, 32) } {
                    let column := mload(scratch)
                    switch gt(add(used, width), 16)
                    case 0 {
                        word := addmod(mulmod(word, pixelScale, p), mulmod(column, pixel, p), p)
                        used := add(used, width)
                    }
                    default {
                        for { let c := channels } lt(c, end) { c := add(c, 32) } {
                            if eq(used, 16) {
                                packed := addmod(packed, mulmod(power, word, p), p)
                                power := mulmod(power, z, p)
                                word := 0
                                used := 0
                            }
                            word := addmod(mulmod(word, 256, p), mulmod(column, mload(c), p), p)
                            used := add(used, 1)
                        }
                    }
                    if eq(used, 16) {
                        packed := addmod(packed, mulmod(power, word, p), p)
                        power := mulmod(power, z, p)
                        word := 0
                        used := 0
                    }
                }
                if used {
                    word := mulmod(word, shl(shl(3, sub(16, used)), 1), p)
                    packed := addmod(packed, mulmod(power, word, p), p)
                }
            }
            weight = mul(weight, packed);
        }
    }

    /// @dev One affine node; returns the place behind it.
    function _affine(Run memory run, Sums memory sums, uint256 at) private pure returns (uint256) {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 offset = Key.u40(at + 1);
            uint256 shift = Key.u8(at + 6);
            uint256 scale = mul(sums.gamma, Key.u56(at + 7));
            at += 14;
            {
                uint256 left = _results(run, bits, offset, shift);
                sums.left0 = add(sums.left0, mul(sums.gamma, left));
            }
            uint256 tags;
            for (uint256 e = 0; e <= run.limbs; ++e) {
                tags = add(tags, mul(Key.u16(at), _get(sums.scaled + 32 * e)));
                at += 2;
            }
            uint256 above = run.activationBits - bits;
            tags = mul(
                tags,
                Field.prefix(
                    offset >> bits, run.sPairs + 64 * (run.lookups - run.activationBits), above
                )
            );
            uint256 next = at + 1;
            if (Key.u8(at) != 0) {
                uint256 valid;
                (valid, next) = Wiring.below(run.sEnd - 32 * bits, at);
                tags = mul(tags, valid);
            }
            sums.tags = add(sums.tags, tags);
            if (shift > 0) {
                uint256 half = mul(sums.gamma, 1 << (shift - 1));
                if (Key.u8(at) != 0) {
                    (uint256 valid,) = Wiring.below(run.rEnd - 32 * bits, at);
                    half = mul(half, valid);
                }
                sums.right0 = add(sums.right0, half);
            }
            at = next;
            if (Key.u8(at) == 0) ++at;
            else at = _bias(run, sums, at, scale);
            uint256 terms = Key.u8(at++);
            for (; terms > 0; --terms) {
                at = _term(run, sums, at, scale);
            }
            return at;
        }
    }

    /// @dev 2^shift·q~ + Σ_l 2^{w·l}·rem_l~ at r_j, as weights at ρ times columns.
    function _results(Run memory run, uint256 bits, uint256 offset, uint256 shift)
        private
        pure
        returns (uint256 sum)
    {
        unchecked {
            uint256 n = run.n;
            uint256 step = 32 * run.activationChunks;
            uint256 chunk = 32 * (offset >> n);
            uint256 r = run.rEnd - 32 * bits;
            uint256 count = bits > n ? 1 << (bits - n) : 1;
            for (uint256 i = 0; i < count; ++i) {
                uint256 value = mul(1 << shift, _get(run.quotient + chunk));
                uint256 limb = run.firstLimb + chunk;
                for (uint256 l = 0; l < run.limbs; ++l) {
                    value = add(value, mul(1 << (run.limbBits * l), _get(limb)));
                    limb += step;
                }
                if (count > 1) value = mul(value, Field.eqIndex(i, r, bits - n));
                sum = add(sum, value);
                chunk += 32;
            }
            uint256 top = run.activationBits < n ? run.activationBits : n;
            if (bits < top) {
                uint256 prefix =
                    Field.prefix(offset >> bits, run.rhoPairs + 64 * (n - top), top - bits);
                sum = mul(sum, prefix);
            }
            sum = mul(sum, _get(run.eqR + 32 * (bits < n ? bits : n)));
        }
    }

    /// @dev The bias, with the mask of the axes over which it is constant.
    function _bias(Run memory run, Sums memory sums, uint256 at, uint256 scale)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 value;
            (value,, at) = _read(run, sums, at);
            uint256 mask;
            (mask, next) = Wiring.below(run.slots, at);
            value = mul(mul(value, mask), scale);
            sums.left0 = sub(sums.left0, value);
        }
    }

    /// @dev One term: claims 1 and 2.
    function _term(Run memory run, Sums memory sums, uint256 at, uint256 scale)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 value;
            bool known;
            (value, known, at) = _read(run, sums, at);
            scale = mul(scale, _get(run.padA + 32 * Key.u8(at)));
            value = mul(value, mul(scale, _word(sums.valueAt)));
            sums.valueAt += 32;
            if (known) sums.right1 = add(sums.right1, value);
            else sums.left1 = add(sums.left1, value);

            (value, known, at) = _read(run, sums, at + 1);
            value = mul(value, mul(sums.eta, _get(run.padB + 32 * Key.u8(at))));
            sums.eta = mul(sums.eta, run.eta);
            uint256 wire;
            (wire, at) = Wiring.term(run, at + 1, sums.scratch);
            value = mul(value, wire);
            if (known) sums.right2 = add(sums.right2, value);
            else sums.left2 = add(sums.left2, value);
            return at;
        }
    }

    /// @dev One copy node: its own values in claim 0, its input in claims 1 and 2.
    function _copy(Run memory run, Sums memory sums, uint256 at) private pure returns (uint256) {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 r = run.rEnd - 32 * bits;
            uint256 value = _at(run, run.copies, run.copyBits, Key.u40(at + 1), bits, r);
            sums.left0 = add(sums.left0, mul(sums.gamma, value));
            value = mul(sums.gamma, _get(run.padA));
            sums.right1 = add(sums.right1, mul(value, _word(sums.valueAt)));
            sums.valueAt += 32;

            bits = Key.u8(at + 12);
            bool known;
            (value, known) = _block(run, Key.u8(at + 6), Key.u40(at + 7), bits, run.b, sums.scratch);
            value = mul(value, mul(sums.eta, _get(run.padB + 32 * bits)));
            sums.eta = mul(sums.eta, run.eta);
            uint256 wire;
            (wire, at) = Wiring.copy(run, at + 13, sums.scratch);
            value = mul(value, wire);
            if (known) sums.right2 = add(sums.right2, value);
            else sums.left2 = add(sums.left2, value);
            return at;
        }
    }

    /// @dev A block at a point that the key gives as slices.
    function _read(Run memory run, Sums memory sums, uint256 at)
        private
        pure
        returns (uint256 value, bool known, uint256 next)
    {
        unchecked {
            uint256 space = Key.u8(at);
            uint256 offset = Key.u40(at + 1);
            uint256 bits = Key.u8(at + 6);
            uint256 n = run.n;
            if (space == Key.SPACE_LATENT || bits > n) {
                uint256 point = sums.scratch;
                next = Wiring.gather(run, at + 7, point);
                (value, known) = _block(run, space, offset, bits, point, point + 32 * bits);
                return (value, known, next);
            }
            (value, next) = Wiring.eq(run, at + 7, run.rho + 32 * (n - bits));
            (uint256 values, uint256 regionBits) = _space(run, space);
            value = mul(value, _prefixed(run, values, regionBits, offset, bits));
        }
    }

    /// @dev The column that a block lies in, times eq of the bits of its row above the block.
    function _prefixed(
        Run memory run,
        uint256 values,
        uint256 regionBits,
        uint256 offset,
        uint256 bits
    ) private pure returns (uint256) {
        unchecked {
            uint256 n = run.n;
            uint256 top = regionBits < n ? regionBits : n;
            uint256 value = _get(values + 32 * (offset >> n));
            if (top == bits) return value;
            return
                mul(value, Field.prefix(offset >> bits, run.rhoPairs + 64 * (n - top), top - bits));
        }
    }

    /// @dev A block at a point: weight at ρ times columns, or the value itself where it is known.
    function _block(
        Run memory run,
        uint256 space,
        uint256 offset,
        uint256 bits,
        uint256 point,
        uint256 scratch
    ) private pure returns (uint256 value, bool known) {
        if (space == Key.SPACE_LATENT) {
            return (Wiring.latent(run, point, scratch), true);
        }
        (uint256 values, uint256 regionBits) = _space(run, space);
        value = _at(run, values, regionBits, offset, bits, point);
    }

    function _space(Run memory run, uint256 space)
        private
        pure
        returns (uint256 values, uint256 bits)
    {
        if (space == Key.SPACE_OUTPUT) return (run.output, run.activationBits);
        if (space == Key.SPACE_COPY) return (run.copies, run.copyBits);
        return (run.keyValues, KEY_BITS);
    }

    /// @dev eq(point, ·) on the block at `offset` of a region, as weight at ρ times columns (§7.3).
    function _at(
        Run memory run,
        uint256 values,
        uint256 regionBits,
        uint256 offset,
        uint256 bits,
        uint256 point
    ) private pure returns (uint256 value) {
        unchecked {
            uint256 n = run.n;
            uint256 rho = run.rho;
            if (bits <= n) {
                value = _prefixed(run, values, regionBits, offset, bits);
                return mul(value, Field.eq(point, rho + 32 * (n - bits), bits));
            }
            values += 32 * (offset >> n);
            uint256 high = bits - n;
            for (uint256 i = 0; i < 1 << high; ++i) {
                uint256 weight = Field.eqIndex(i, point, high);
                value = add(value, mul(_get(values + 32 * i), weight));
            }
            return mul(value, Field.eq(point + 32 * high, rho, n));
        }
    }

    /// @dev eq(s|bits, ·) on a region, as weight at ρ times columns.
    function _atS(Run memory run, uint256 values, uint256 bits)
        private
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 n = run.n;
            if (bits <= n) return mul(_get(values), _get(run.eqS + 32 * bits));
            uint256 high = bits - n;
            uint256 point = run.sEnd - 32 * bits;
            for (uint256 i = 0; i < 1 << high; ++i) {
                uint256 weight = Field.eqIndex(i, point, high);
                value = add(value, mul(_get(values + 32 * i), weight));
            }
            return mul(value, _get(run.eqS + 32 * n));
        }
    }

    /// @dev (tag + β·index)~ at s|n_T: Σ over segments.
    function _rowKeys(Run memory run) private pure returns (uint256 sum) {
        unchecked {
            uint256 at = run.keyAt + Key.u16(run.keyAt + Key.SECTIONS);
            uint256 count = Key.u8(at++);
            uint256 tableBits = run.tableBits;
            uint256 top = run.sEnd - 32 * tableBits;
            uint256 pairs = run.sPairs + 64 * (run.lookups - tableBits);
            // indices[k] = Σ_{i < k} 2^i·(i-th last entry of s)
            uint256 indices;
            uint256 end = run.sEnd;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                indices := mload(0x40)
                let out := indices
                let total := 0
                let scale := 1
                mstore(out, 0)
                for { let from := end } gt(from, top) {} {
                    from := sub(from, 32)
                    total := addmod(total, mulmod(scale, mload(from), p), p)
                    scale := shl(1, scale)
                    out := add(out, 32)
                    mstore(out, total)
                }
            }
            for (uint256 tag = 1; tag <= count; ++tag) {
                uint256 bits = Key.u8(at);
                uint256 index = add(embed(Key.i64(at + 5)), _get(indices + 32 * bits));
                index = add(tag, mul(run.beta, index));
                uint256 prefix = Field.prefix(Key.u32(at + 1), pairs, tableBits - bits);
                sum = add(sum, mul(prefix, index));
                at += 13;
            }
        }
    }

    /// @dev Number of columns that a region touches.
    function _chunks(uint256 bits, uint256 n) private pure returns (uint256) {
        unchecked {
            return bits > n ? 1 << (bits - n) : 1;
        }
    }

    /// @dev Writes a region's values; returns the place behind them.
    function _region(Run memory run, uint256 at, uint256 columns, uint256 bits, uint256 out)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 offset = Key.u40(at);
            uint256 n = run.n;
            columns += 32 * (offset >> n);
            if (bits <= n) {
                uint256 prefix = Field.prefix(offset >> bits, run.rhoPairs, n - bits);
                _set(out, mul(_word(columns), prefix));
                return out + 32;
            }
            uint256 size = 32 << (bits - n);
            assembly ("memory-safe") {
                calldatacopy(out, columns, size)
            }
            return out + size;
        }
    }

    function _sum(uint256 values, uint256 count) private pure returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                sum = add(sum, _get(values + 32 * i));
            }
        }
    }

    function _get(uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(at)
        }
    }

    function _set(uint256 at, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(at, value)
        }
    }

    function _word(uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(at)
        }
    }
}
