// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SumcheckConditions} from "./SumcheckConditions.sol";
import {MODULUS, SumcheckField as Field, add, embed, mul, sub} from "./SumcheckField.sol";
import {SumcheckImageWeights as ImageWeights} from "./SumcheckImageWeights.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckSlices as Slices} from "./SumcheckSlices.sol";
import {SumcheckTranscript} from "./SumcheckTranscript.sol";
import {SumcheckWiring as Wiring} from "./SumcheckWiring.sol";

/// @title The claims and the merging
/// @notice Values and weights of all claims (`docs/protocol.md` §6), merged by powers of ν (§7).
/// @dev Everything is evaluated once all challenges are known, so a claim adds to two numbers: its value,
/// and Σ over the columns of its weight at ρ times the column at ρ.
library SumcheckClaims {
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
            if and(sub(end, rho), 32) {
                product := mload(rho)
                rho := add(rho, 32)
            }
            for {} lt(rho, end) { rho := add(rho, 64) } {
                product := mulmod(product, mulmod(mload(rho), mload(add(rho, 32)), p), p)
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
            uint256 keyAt = run.keyAt;
            uint256 lines = SumcheckTranscript.reserve(3 * n + 1);
            uint256 end = lines + 96 * n;
            run.rhoLines = lines;
            run.rhoLinesEnd = end;
            Field.lines(run.rho, n, lines);
            run.prefixes = Field.prefixes(keyAt + Key.u16(keyAt + Key.SECTIONS + 10), lines);
            uint256 lookups = run.lookups;
            uint256 at = keyAt + Key.u16(keyAt + Key.SECTIONS + 12);
            uint256 count = Key.u8(at);
            lines = SumcheckTranscript.reserve(3 * count + 1);
            Field.lines(run.sEnd - 32 * lookups, count, lines);
            run.sPrefixes = Field.prefixes(at + 1, lines);

            uint256 short = run.outputBits < n ? run.outputBits : n;
            run.eqR = SumcheckTranscript.reserve(short + 1);
            Field.eqSuffixes(run.rEnd, end, short, run.eqR);
            _eqAtS(run, end);
            run.padA = SumcheckTranscript.reserve(run.phaseOne + 1);
            Field.zeroSuffixes(run.a, run.phaseOne, run.padA);
            run.padB = SumcheckTranscript.reserve(run.phaseTwo + 1);
            Field.zeroSuffixes(run.b, run.phaseTwo, run.padB);
            _readRegions(run);
        }
    }

    /// @dev eq of the last entries of s and ρ, as many as the two regions have or columns have; the longer of the two
    /// products has the shorter one as a factor.
    function _eqAtS(Run memory run, uint256 linesEnd) private pure {
        unchecked {
            uint256 n = run.n;
            uint256 few = run.activationBits < run.tableBits ? run.activationBits : run.tableBits;
            if (few > n) few = n;
            uint256 many = run.lookups < n ? run.lookups : n;
            uint256 s = run.sEnd;
            uint256 short = Field.eq(s - 32 * few, linesEnd - 96 * few, few);
            uint256 long = mul(short, Field.eq(s - 32 * many, linesEnd - 96 * many, many - few));
            bool table = run.tableBits == run.lookups;
            run.eqTable = table ? long : short;
            run.eqActivation = run.activationBits == run.lookups ? long : short;
        }
    }

    /// @dev The columns at ρ by region.
    function _readRegions(Run memory run) private pure {
        unchecked {
            uint256 n = run.n;
            uint256 limbs = run.limbs;
            uint256 first = run.columnsAt;
            uint256 second = first + 32 * run.firstColumns;
            uint256 key = second + 32 * run.secondColumns;
            uint256 at = run.keyAt + Key.REGIONS;
            uint256 bits = run.activationBits;
            uint256 chunks = _chunks(bits, n);
            run.activationChunks = chunks;
            uint256 spaces = SumcheckTranscript.reserve(4);
            run.spaces = spaces;
            uint256 out = SumcheckTranscript.reserve((2 * limbs + 3) * chunks);
            run.quotient = out;
            run.output = out + 32 * chunks;
            _set(spaces + 32 * Key.SPACE_OUTPUT, run.output);
            run.firstLimb = out + 64 * chunks;
            for (uint256 i = 0; i < limbs + 2; ++i) {
                out = _region(run, at, first, bits, out);
                at += 3;
            }
            run.firstInverse = out;
            for (uint256 i = 0; i < limbs + 1; ++i) {
                out = _region(run, at, second, bits, out);
                at += 3;
            }
            bits = run.tableBits;
            chunks = _chunks(bits, n);
            run.tableChunks = chunks;
            out = SumcheckTranscript.reserve(3 * chunks);
            run.multiplicity = out;
            run.tableInverse = out = _region(run, at, first, bits, out);
            run.tableOutput = out = _region(run, at + 3, second, bits, out);
            _region(run, at + 6, key, bits, out);
            bits = run.copyBits;
            if (bits != Key.NO_COPY) {
                out = SumcheckTranscript.reserve(_chunks(bits, n));
                _set(spaces + 32 * Key.SPACE_COPY, out);
                _region(run, at + 9, first, bits, out);
            }
            uint256 size = 32 * run.keyColumns;
            out = SumcheckTranscript.reserve(run.keyColumns);
            _set(spaces + 32 * Key.SPACE_KEY, out);
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
            sums.scaled = SumcheckTranscript.reserve(run.limbs + 1);
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
            uint256 last = run.eqActivation;
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
                _equals(run, nu, _atS(run, values, bits, last), _word(run.inversesAt + 32 * e));
                nu = mul(nu, run.nu);
                uint256 scaled = _get(sums.scaled + 32 * e);
                inverses = add(inverses, scaled);
                uint256 f;
                if (e == 0) {
                    f = add(
                        _atS(run, run.quotient, bits, last),
                        mul(run.beta, _atS(run, run.output, bits, last))
                    );
                } else {
                    f = _atS(run, run.firstLimb + 32 * chunks * (e - 1), bits, last);
                }
                read = add(read, mul(scaled, f));
            }
            uint256 s = run.sEnd - 32 * run.lookups;
            uint256 leadA = Field.zeroProduct(s, run.lookups - run.activationBits);
            uint256 scale = mul(run.beta, leadA);
            uint256 left4 = sub(0, mul(scale, read));
            uint256 right4 = sub(mul(inverses, run.alpha), sums.tags);
            right4 = sub(run.e3, mul(leadA, right4));

            bits = run.tableBits;
            chunks = run.tableChunks;
            last = run.eqTable;
            uint256 g = _word(run.inversesAt + 32 * (limbs + 1));
            left3 = sub(left3, _sum(run.tableInverse, chunks));
            _equals(run, nu, _atS(run, run.tableInverse, bits, last), g);
            uint256 leadT = Field.zeroProduct(s, run.lookups - run.tableBits);
            leadT = mul(leadT, Field.power(run.lambda, limbs + 1));
            uint256 t = mul(mul(g, beta2), _atS(run, run.tableOutput, bits, last));
            t = add(t, _atS(run, run.multiplicity, bits, last));
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
            uint256 bits = Key.u8(at + 4);
            uint256 value = _column(run, at);
            uint256 n = run.n;
            uint256 left;
            if (bits <= n) {
                left = mul(mul(_get(value), _prefix(run, at + 2)), ImageWeights.at(run, at + 5));
            } else {
                // The entries before ρ are the number of the column within the block.
                uint256 high = bits - n;
                for (uint256 i = 0; i < 1 << high; ++i) {
                    for (uint256 k = 0; k < high; ++k) {
                        _set(run.rho - 32 * (k + 1), (i >> k) & 1);
                    }
                    uint256 weight = ImageWeights.at(run, at + 5);
                    left = add(left, mul(_get(value + 32 * i), weight));
                }
            }
            _equals(run, nu, left, imageValue);
        }
    }

    /// @dev One affine node; returns the place behind it.
    function _affine(Run memory run, Sums memory sums, uint256 at) private pure returns (uint256) {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 shift = Key.u8(at + 6);
            uint256 scale = mul(sums.gamma, Key.u56(at + 7));
            sums.left0 = add(sums.left0, mul(sums.gamma, _results(run, at, bits, shift)));
            uint256 tags = _get(run.sPrefixes + 32 * Key.u16(at + 4));
            at += 14;
            {
                uint256 sum;
                uint256 from = sums.scaled;
                for (uint256 end = from + 32 * run.limbs; from <= end; from += 32) {
                    sum = add(sum, mul(Key.u16(at), _get(from)));
                    at += 2;
                }
                tags = mul(tags, sum);
            }
            // valid~(r_j); 1 where no cell is invalid.
            uint256 valid = 1;
            uint256 next = at + 1;
            if (Key.u8(at) != 0) {
                (valid, next) = Slices.below(run.sEnd - 32 * bits, at);
                tags = mul(tags, valid);
                (valid,) = Slices.below(run.rEnd - 32 * bits, at);
            }
            sums.tags = add(sums.tags, tags);
            if (shift > 0) {
                uint256 half = mul(sums.gamma, 1 << (shift - 1));
                sums.right0 = add(sums.right0, mul(half, valid));
            }
            at = next;
            if (Key.u8(at) == 0) ++at;
            else at = _bias(run, sums, at, mul(scale, valid), scale);
            uint256 terms = Key.u8(at++);
            for (; terms > 0; --terms) {
                at = _term(run, sums, at, scale);
            }
            return at;
        }
    }

    /// @dev 2^shift·q~ + Σ_l 2^{w·l}·rem_l~ at r_j, as weights at ρ times columns, of the node at `at`.
    function _results(Run memory run, uint256 at, uint256 bits, uint256 shift)
        private
        pure
        returns (uint256 sum)
    {
        unchecked {
            uint256 n = run.n;
            uint256 chunk = 32 * Key.u8(at + 1);
            uint256 short = bits < n ? bits : n;
            uint256 count = bits > n ? 1 << (bits - n) : 1;
            for (uint256 i = 0; i < count; ++i) {
                uint256 value = _result(run, chunk, shift);
                if (count > 1) {
                    value = mul(value, Field.eqIndex(i, run.rEnd - 32 * bits, bits - n));
                }
                sum = add(sum, value);
                chunk += 32;
            }
            return mul(mul(sum, _prefix(run, at + 2)), _get(run.eqR + 32 * short));
        }
    }

    /// @dev 2^shift·q + Σ_l 2^{w·l}·rem_l of one column.
    function _result(Run memory run, uint256 chunk, uint256 shift)
        private
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 step = 32 * run.activationChunks;
            uint256 first = run.firstLimb + chunk;
            uint256 limb = first + step * run.limbs;
            while (limb > first) {
                limb -= step;
                value = add(mul(value, 1 << run.limbBits), _get(limb));
            }
            value = add(value, mul(1 << shift, _get(run.quotient + chunk)));
        }
    }

    /// @dev The bias, with the mask of the axes over which it is constant. `masked` is the scale times
    /// valid~(r_j), which is the same where all axes that can be invalid are among them.
    function _bias(Run memory run, Sums memory sums, uint256 at, uint256 masked, uint256 scale)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 value;
            (value, next) = _read(run, sums, at);
            if (Key.u8(next++) == 0) {
                (masked, next) = Slices.below(run.slots, next);
                masked = mul(masked, scale);
            }
            sums.left0 = sub(sums.left0, mul(value, masked));
        }
    }

    /// @dev One term: claims 1 and 2.
    function _term(Run memory run, Sums memory sums, uint256 at, uint256 scale)
        private
        pure
        returns (uint256)
    {
        unchecked {
            bool known = Key.u8(at) == Key.SPACE_PUBLIC;
            uint256 value;
            (value, at) = _read(run, sums, at);
            scale = mul(scale, _get(run.padA + 32 * Key.u8(at)));
            value = mul(value, mul(scale, _word(sums.valueAt)));
            sums.valueAt += 32;
            if (known) sums.right1 = add(sums.right1, value);
            else sums.left1 = add(sums.left1, value);

            known = Key.u8(at + 1) == Key.SPACE_PUBLIC;
            (value, at) = _read(run, sums, at + 1);
            value = mul(value, mul(sums.eta, _get(run.padB + 32 * Key.u8(at))));
            uint256 wire;
            (wire, at) = Wiring.term(run, at + 1, sums.scratch);
            _wired(run, sums, known, mul(value, wire));
            return at;
        }
    }

    /// @dev One copy node: its own values in claim 0, its input in claims 1 and 2.
    function _copy(Run memory run, Sums memory sums, uint256 at) private pure returns (uint256) {
        unchecked {
            uint256 bits = Key.u8(at);
            uint256 values = _get(run.spaces + 32 * Key.SPACE_COPY) + 32 * Key.u8(at + 1);
            uint256 value = _at(run, values, bits, run.rEnd - 32 * bits);
            value = mul(value, _prefix(run, at + 2));
            sums.left0 = add(sums.left0, mul(sums.gamma, value));
            value = mul(sums.gamma, _get(run.padA));
            sums.right1 = add(sums.right1, mul(value, _word(sums.valueAt)));
            sums.valueAt += 32;

            bool known = Key.u8(at + 4) == Key.SPACE_PUBLIC;
            bits = Key.u8(at + 8);
            value = _block(run, at + 4, run.b, sums.scratch);
            value = mul(value, mul(sums.eta, _get(run.padB + 32 * bits)));
            uint256 wire;
            (wire, at) = Wiring.copy(run, at + 9, sums.scratch);
            _wired(run, sums, known, mul(value, wire));
            return at;
        }
    }

    /// @dev Takes a term's part of claim 2: to the right where the verifier knows the input's value.
    function _wired(Run memory run, Sums memory sums, bool known, uint256 value) private pure {
        sums.eta = mul(sums.eta, run.eta);
        if (known) sums.right2 = add(sums.right2, value);
        else sums.left2 = add(sums.left2, value);
    }

    /// @dev The block at a place, at a point that the key gives as slices behind the place (none are the last
    /// entries of r): weight at ρ times columns, or the value itself where it is known.
    function _read(Run memory run, Sums memory sums, uint256 at)
        private
        pure
        returns (uint256 value, uint256 next)
    {
        unchecked {
            uint256 bits = Key.u8(at + 4);
            uint256 n = run.n;
            if (Key.u8(at) == Key.SPACE_PUBLIC || bits > n) {
                uint256 point = sums.scratch;
                next = Slices.gather(run.slots, at + 5, point);
                return (_block(run, at, point, point + 32 * bits), next);
            }
            if (Key.u8(at + 5) == 0) (value, next) = (_get(run.eqR + 32 * bits), at + 6);
            else (value, next) = Slices.eq(run.slots, at + 5, run.rhoLinesEnd - 96 * bits);
            uint256 spaces = run.spaces;
            uint256 prefixes = run.prefixes;
            assembly ("memory-safe") {
                let p := mload(MODULUS)
                let place := calldataload(at)
                let column :=
                    mload(add(mload(add(spaces, shl(5, byte(0, place)))), shl(5, byte(1, place))))
                let prefix := mload(add(prefixes, shl(5, and(shr(224, place), 0xffff))))
                value := mulmod(mulmod(value, column, p), prefix, p)
            }
        }
    }

    /// @dev The block at a place, at a point in memory.
    function _block(Run memory run, uint256 at, uint256 point, uint256 scratch)
        private
        pure
        returns (uint256)
    {
        if (Key.u8(at) == Key.SPACE_PUBLIC) {
            uint256 index = Key.u8(at + 1);
            return index == 0
                ? Wiring.latent(run, point, scratch)
                : SumcheckConditions.value(run, index - 1, point, scratch);
        }
        return mul(_at(run, _column(run, at), Key.u8(at + 4), point), _prefix(run, at + 2));
    }

    /// @dev Where the value of a place's first column is.
    function _column(Run memory run, uint256 at) private pure returns (uint256) {
        unchecked {
            return _get(run.spaces + 32 * Key.u8(at)) + 32 * Key.u8(at + 1);
        }
    }

    /// @dev The prefix at ρ whose number is at a place in the key.
    function _prefix(Run memory run, uint256 at) private pure returns (uint256) {
        unchecked {
            return _get(run.prefixes + 32 * Key.u16(at));
        }
    }

    /// @dev eq(point, ·) on a block without its prefix, as weight at ρ times columns (§7.3).
    function _at(Run memory run, uint256 values, uint256 bits, uint256 point)
        private
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 n = run.n;
            uint256 lines = run.rhoLines;
            if (bits <= n) {
                return mul(_get(values), Field.eq(point, lines + 96 * (n - bits), bits));
            }
            uint256 high = bits - n;
            for (uint256 i = 0; i < 1 << high; ++i) {
                uint256 weight = Field.eqIndex(i, point, high);
                value = add(value, mul(_get(values + 32 * i), weight));
            }
            return mul(value, Field.eq(point + 32 * high, lines, n));
        }
    }

    /// @dev eq(s|bits, ·) on a region, as weight at ρ times columns. `last` is the factor of the entries that rows
    /// have.
    function _atS(Run memory run, uint256 values, uint256 bits, uint256 last)
        private
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 n = run.n;
            if (bits <= n) return mul(_get(values), last);
            uint256 high = bits - n;
            uint256 point = run.sEnd - 32 * bits;
            for (uint256 i = 0; i < 1 << high; ++i) {
                uint256 weight = Field.eqIndex(i, point, high);
                value = add(value, mul(_get(values + 32 * i), weight));
            }
            return mul(value, last);
        }
    }

    /// @dev (tag + β·index)~ at s|n_T: Σ over segments.
    function _rowKeys(Run memory run) private pure returns (uint256 sum) {
        unchecked {
            uint256 at = run.keyAt + Key.u16(run.keyAt + Key.SECTIONS);
            uint256 count = Key.u8(at++);
            uint256 top = run.sEnd - 32 * run.tableBits;
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
                uint256 index = add(embed(Key.i64(at + 3)), _get(indices + 32 * bits));
                index = add(tag, mul(run.beta, index));
                sum = add(sum, mul(_get(run.sPrefixes + 32 * Key.u16(at + 1)), index));
                at += 11;
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
            uint256 n = run.n;
            columns += 32 * Key.u8(at);
            if (bits <= n) {
                _set(out, mul(_word(columns), _prefix(run, at + 1)));
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
