// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SumcheckField as Field, mul} from "./SumcheckField.sol";
import {SumcheckKey as Key} from "./SumcheckKey.sol";
import {Run} from "./SumcheckRun.sol";
import {SumcheckWiring as Wiring} from "./SumcheckWiring.sol";

/// @title What is chosen besides the seed
/// @notice The conditions of a statement (`docs/protocol.md` §3.5): labels and vectors.
library SumcheckConditions {
    /// @dev Bytes of a label.
    uint256 private constant LABEL_BYTES = 2;

    /// @dev Bytes in front of what a condition's kind needs in the key.
    uint256 private constant HEAD = 6;

    /// @notice The conditions do not have the one length that those of the model have.
    error ConditionsLengthInvalid(uint256 length, uint256 expected);
    /// @notice The model has no such class.
    error LabelInvalid(uint256 condition, uint256 label, uint256 classes);

    /// @notice Checks that the conditions are a choice that the model has; the only spelling of it.
    /// @param run Made by `SumcheckTranscript.open`; where the conditions are is written.
    /// @param key The encoded key.
    /// @param conditions The statement's.
    function read(Run memory run, bytes calldata key, bytes calldata conditions) internal pure {
        unchecked {
            uint256 at = run.keyAt;
            if (Key.u8(at + Key.NUMBERS + 1) & Key.CONDITIONED == 0) {
                if (conditions.length != 0) revert ConditionsLengthInvalid(conditions.length, 0);
                return;
            }
            run.conditionKinds = at += Key.u16(at + key.length - 2);
            uint256 chosen;
            assembly ("memory-safe") {
                chosen := conditions.offset
            }
            run.conditionsAt = chosen;
            run.conditionsHash = keccak256(conditions);
            uint256 size;
            uint256 count = Key.u8(at++);
            for (uint256 i = 0; i < count; ++i) {
                (bool label, uint256 elements) = (Key.u8(at) == 0, Key.u24(at + 1));
                uint256 end = size + (label ? LABEL_BYTES : elements);
                if (label && end <= conditions.length) {
                    uint256 class = Key.u16(chosen + size);
                    if (class >= elements) revert LabelInvalid(i, class, elements);
                }
                size = end;
                at += HEAD + Key.u16(at + 4);
            }
            if (conditions.length != size) {
                revert ConditionsLengthInvalid(conditions.length, size);
            }
        }
    }

    /// @notice x~ of a condition at a point.
    /// @param index Which condition.
    /// @param point In memory.
    /// @param scratch Memory beyond everything in use.
    function value(Run memory run, uint256 index, uint256 point, uint256 scratch)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 at = run.conditionKinds + 1;
            uint256 chosen = run.conditionsAt;
            for (; index > 0; --index) {
                chosen += Key.u8(at) == 0 ? LABEL_BYTES : Key.u24(at + 1);
                at += HEAD + Key.u16(at + 4);
            }
            if (Key.u8(at) == 0) return _label(Key.u16(chosen), at + HEAD, point);
            uint256 elements = Key.u24(at + 1);
            assembly ("memory-safe") {
                calldatacopy(scratch, chosen, elements)
            }
            // Four entries are read at a time.
            uint256 rows = scratch + ((elements + 63) & ~uint256(31));
            return Wiring.lookUp(at + HEAD, elements, point, scratch, rows);
        }
    }

    /// @dev eq(class, point), the class as the digits of the block's axes, the innermost first.
    function _label(uint256 class, uint256 at, uint256 point)
        private
        pure
        returns (uint256 product)
    {
        unchecked {
            product = 1;
            uint256 end = at + 1 + 6 * Key.u8(at);
            for (++at; at < end; at += 6) {
                uint256 size = Key.u32(at + 2);
                uint256 slice = point + 32 * Key.u8(at);
                product = mul(product, Field.eqIndex(class % size, slice, Key.u8(at + 1)));
                class /= size;
            }
        }
    }
}
