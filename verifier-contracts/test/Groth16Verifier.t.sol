// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Groth16Bn254} from "platemark/Groth16Bn254.sol";
import {Groth16ImageVerifier} from "platemark/Groth16ImageVerifier.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {KnownKeyProver} from "./KnownKeyProver.sol";
import {KnownKey} from "./generated/KnownKey.sol";
import {KnownToxicWasteGroth16Verifier} from "./generated/KnownToxicWasteGroth16Verifier.sol";
import {
    KnownToxicWasteInsecureDevelopmentGroth16Verifier
} from "./generated/KnownToxicWasteInsecureDevelopmentGroth16Verifier.sol";
import {
    KnownToxicWasteWideGroth16Verifier
} from "./generated/KnownToxicWasteWideGroth16Verifier.sol";

contract Groth16VerifierTest is Test {
    struct ProofVector {
        bytes32 context;
        uint256 dimensions;
        bytes32 image;
        bytes32[] inputs;
        bytes proof;
        bytes32 seed;
    }

    uint256 private constant Q = Groth16Bn254.BASE_MODULUS;
    uint256 private constant R = Groth16Bn254.SCALAR_MODULUS;
    uint256 private constant SEED = 42;
    bytes32 private constant DIGEST = bytes32(uint256(0xd16e57));
    bytes32 private constant CONTEXT = keccak256("context");

    KnownToxicWasteGroth16Verifier private narrow = new KnownToxicWasteGroth16Verifier();
    KnownToxicWasteWideGroth16Verifier private wide = new KnownToxicWasteWideGroth16Verifier();
    bytes private proof = KnownKeyProver.prove(KnownKey.NARROW, SEED, DIGEST, CONTEXT);

    function test_AcceptsProofsMadeInTypeScript() public view {
        string memory json = vm.readFile("verifier-contracts/test/generated/vectors.json");
        ProofVector[] memory vectors = abi.decode(vm.parseJson(json, ".proofs"), (ProofVector[]));
        assertEq(vectors.length, 12);
        for (uint256 i = 0; i < vectors.length; ++i) {
            ProofVector memory v = vectors[i];
            bool isNarrow = v.dimensions == KnownKey.NARROW;
            IImageVerifier verifier = IImageVerifier(isNarrow ? address(narrow) : address(wide));
            assertEq(
                verifier.verifyImage(
                    uint256(v.seed), abi.encodePacked(v.image), v.context, v.proof
                ),
                v.image
            );
            assertTrue(Groth16ImageVerifier(address(verifier)).verify(v.proof, v.inputs));
        }
    }

    function test_SaysWhatItVerifies() public view {
        assertEq(narrow.modelId(), KnownKey.MODEL_ID);
        assertEq(narrow.MODEL_ID(), KnownKey.MODEL_ID);
        assertEq(narrow.proofSystem(), bytes4(0x0550d137));
        assertEq(narrow.PROOF_SYSTEM(), narrow.proofSystem());
        assertEq(narrow.verifyingKeyHash(), narrow.VERIFYING_KEY_HASH());
        assertEq(wide.verifyingKeyHash(), wide.VERIFYING_KEY_HASH());
        assertNotEq(narrow.verifyingKeyHash(), wide.verifyingKeyHash());
        assertEq(narrow.VERSION(), "platemark 0.0.0-test");
        assertFalse(narrow.INSECURE_SETUP());
    }

    function testFuzz_AcceptsValidProofs(uint256 seed, uint256 digest, bytes32 context, uint256 a)
        public
        view
    {
        digest = bound(digest, 0, R - 1);
        a = bound(a, 1, R - 1);
        uint256[] memory inputs =
            KnownKeyProver.publicInputs(KnownKey.WIDE, seed, bytes32(digest), context);
        assertEq(
            wide.verifyImage(
                seed, abi.encodePacked(digest), context, KnownKeyProver.prove(inputs, a)
            ),
            bytes32(digest)
        );
    }

    /// @dev One bit flipped in the seed, the digest, the context or the proof.
    function testFuzz_RevertWhen_AnythingIsAltered(uint256 what, uint256 bit) public {
        what = bound(what, 0, 3);
        uint256 seed = SEED;
        bytes32 digest = DIGEST;
        bytes32 context = CONTEXT;
        bytes memory altered = proof;
        if (what == 0) seed ^= 1 << bound(bit, 0, 255);
        if (what == 1) digest ^= bytes32(1 << bound(bit, 0, 255));
        // The low three bits of the context do not fit into the field.
        if (what == 2) context ^= bytes32(1 << bound(bit, 3, 255));
        if (what == 3) {
            bit = bound(bit, 0, 2047);
            altered[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        }
        vm.expectRevert();
        narrow.verifyImage{gas: 600_000}(seed, abi.encodePacked(digest), context, altered);
    }

    function test_RevertWhen_SeedIsAnother() public {
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        narrow.verifyImage(SEED + 1, abi.encodePacked(DIGEST), CONTEXT, proof);
    }

    function test_RevertWhen_DigestIsAnother() public {
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        narrow.verifyImage(SEED, abi.encodePacked(uint256(DIGEST) + 1), CONTEXT, proof);
    }

    function test_RevertWhen_ContextIsAnother() public {
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        narrow.verifyImage(SEED, abi.encodePacked(DIGEST), keccak256("another"), proof);
    }

    function test_RevertWhen_DigestIsNotCanonical() public {
        bytes memory alias_ = abi.encodePacked(uint256(DIGEST) + R);
        vm.expectRevert(
            abi.encodeWithSelector(
                Groth16Bn254.PublicInputNotCanonical.selector, 0, uint256(DIGEST) + R
            )
        );
        narrow.verifyImage(SEED, alias_, CONTEXT, proof);
    }

    /// @dev The proof with `input` is valid; the same with `input + r` must not be.
    function test_VerifyProofIsFalseWhen_AnInputIsNotCanonical() public view {
        (uint256[2] memory a, uint256[2][2] memory b, uint256[2] memory c) = points(proof);
        uint256[] memory inputs =
            KnownKeyProver.publicInputs(KnownKey.NARROW, SEED, DIGEST, CONTEXT);
        uint256[3] memory fixed_ = [inputs[0], inputs[1], inputs[2]];
        assertTrue(narrow.verifyProof(a, b, c, fixed_));
        for (uint256 i = 0; i < 3; ++i) {
            fixed_[i] += R;
            assertFalse(narrow.verifyProof(a, b, c, fixed_));
            fixed_[i] -= R;
        }
        assertTrue(narrow.verifyProof(a, b, c, fixed_));
        fixed_[2] = addmod(fixed_[2], 1, R);
        assertFalse(narrow.verifyProof(a, b, c, fixed_));
    }

    function test_RevertWhen_ACoordinateIsNotCanonical() public {
        for (uint256 i = 0; i < 8; ++i) {
            bytes memory altered = proof;
            uint256 value = word(altered, i) + Q;
            setWord(altered, i, value);
            vm.expectRevert(
                abi.encodeWithSelector(Groth16Bn254.CoordinateNotCanonical.selector, i, value)
            );
            narrow.verifyImage(SEED, abi.encodePacked(DIGEST), CONTEXT, altered);
            setWord(altered, i, value - Q);
            narrow.verifyImage(SEED, abi.encodePacked(DIGEST), CONTEXT, altered);
        }
    }

    function test_RevertWhen_ProofHasAnotherLength() public {
        bytes[5] memory others = [
            bytes(""),
            abi.encodePacked(proof, bytes1(0)),
            abi.encodePacked(proof, bytes32(0)),
            truncated(proof, 255),
            truncated(proof, 224)
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    Groth16ImageVerifier.ProofLengthInvalid.selector, others[i].length, 256
                )
            );
            narrow.verifyImage(SEED, abi.encodePacked(DIGEST), CONTEXT, others[i]);
        }
    }

    function test_RevertWhen_ImageHasAnotherLength() public {
        bytes[4] memory others = [
            bytes(""),
            abi.encodePacked(bytes31(0)),
            abi.encodePacked(DIGEST, bytes1(0)),
            abi.encodePacked(DIGEST, DIGEST)
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    Groth16ImageVerifier.ImageLengthInvalid.selector, others[i].length, 32
                )
            );
            narrow.verifyImage(SEED, others[i], CONTEXT, proof);
        }
    }

    /// @dev Off-curve points fail precompiles, which then take all their gas.
    function test_RevertWhen_APointIsOffItsCurve_WithBoundedGas() public view {
        uint8[8] memory pointOfWord = [0, 0, 1, 1, 1, 1, 2, 2];
        for (uint256 i = 0; i < 8; ++i) {
            bytes memory altered = proof;
            setWord(altered, i, addmod(word(altered, i), 1, Q));
            assertRefusedCheaply(
                altered,
                abi.encodeWithSelector(Groth16Bn254.PointNotOnCurve.selector, pointOfWord[i]),
                20_000
            );
        }
    }

    function test_RevertWhen_APointIsInfinity_WithBoundedGas() public view {
        uint8[2][3] memory ranges = [[0, 2], [2, 6], [6, 8]];
        for (uint256 p = 0; p < 3; ++p) {
            bytes memory altered = proof;
            for (uint256 i = ranges[p][0]; i < ranges[p][1]; ++i) {
                setWord(altered, i, 0);
            }
            assertRefusedCheaply(
                altered, abi.encodeWithSelector(Groth16Bn254.PointNotOnCurve.selector, p), 20_000
            );
        }
    }

    function test_RevertWhen_BIsOffTheSubgroup_WithBoundedGas() public view {
        bytes memory altered = proof;
        setWord(altered, 2, KnownKey.B_OFF_SUBGROUP_0);
        setWord(altered, 3, KnownKey.B_OFF_SUBGROUP_1);
        setWord(altered, 4, KnownKey.B_OFF_SUBGROUP_2);
        setWord(altered, 5, KnownKey.B_OFF_SUBGROUP_3);
        assertRefusedCheaply(
            altered, abi.encodeWithSelector(IImageVerifier.ProofInvalid.selector), 500_000
        );
    }

    /// @dev A refusal must never come from running out of gas: then the verdict is open.
    function testFuzz_RevertWhen_GasIsShort_NeverSaysInvalid(uint256 gasLimit) public view {
        gasLimit = bound(gasLimit, 1_000, 300_000);
        (bool success, bytes memory reason) = address(narrow).staticcall{gas: gasLimit}(
            abi.encodeCall(narrow.verifyImage, (SEED, abi.encodePacked(DIGEST), CONTEXT, proof))
        );
        if (success || reason.length == 0) return;
        assertEq(bytes4(reason), IImageVerifier.InsufficientGas.selector);
    }

    /// @dev Imaginary and real parts swapped, the commonest mistake of callers.
    function test_VerifyProofIsFalseWhen_BIsRealFirst() public view {
        (uint256[2] memory a, uint256[2][2] memory b, uint256[2] memory c) = points(proof);
        uint256[] memory inputs =
            KnownKeyProver.publicInputs(KnownKey.NARROW, SEED, DIGEST, CONTEXT);
        b = [[b[0][1], b[0][0]], [b[1][1], b[1][0]]];
        assertFalse(narrow.verifyProof(a, b, c, [inputs[0], inputs[1], inputs[2]]));
    }

    /// @dev Groth16's own malleability, which no verifier can exclude: why replay keys are statements.
    function test_AcceptsNegatedAAndB() public view {
        bytes memory twin = proof;
        setWord(twin, 1, Q - word(twin, 1));
        setWord(twin, 4, Q - word(twin, 4));
        setWord(twin, 5, Q - word(twin, 5));
        assertEq(narrow.verifyImage(SEED, abi.encodePacked(DIGEST), CONTEXT, twin), DIGEST);
    }

    /// @dev The forgery against keys without phase 2: A = α, B = β, C = −Σ. It needs delta = gamma.
    function test_RevertWhen_ProofIsTheForgeryAgainstKeysWithoutPhaseTwo() public {
        // α and β are points of the key; their logarithms' product is all the prover library has, so
        // take any A, B with ab = αβ: a = αβ / b.
        uint256 a = mulmod(KnownKey.ALPHA_BETA, inverse(KnownKey.B_LOGARITHM), R);
        uint256[] memory inputs =
            KnownKeyProver.publicInputs(KnownKey.NARROW, SEED, DIGEST, CONTEXT);
        uint256 combined = KnownKey.ic(0);
        for (uint256 i = 0; i < inputs.length; ++i) {
            combined = addmod(combined, mulmod(inputs[i], KnownKey.ic(i + 1), R), R);
        }
        bytes memory forged = abi.encodePacked(
            KnownKeyProver.multiply(a),
            KnownKey.B_0,
            KnownKey.B_1,
            KnownKey.B_2,
            KnownKey.B_3,
            KnownKeyProver.multiply(R - combined)
        );
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        narrow.verifyImage(SEED, abi.encodePacked(DIGEST), CONTEXT, forged);
    }

    function test_VerifyIsFalseWhen_LengthsAreWrong() public view {
        uint256[] memory inputs =
            KnownKeyProver.publicInputs(KnownKey.NARROW, SEED, DIGEST, CONTEXT);
        bytes32[] memory words = new bytes32[](3);
        bytes32[] memory more = new bytes32[](4);
        bytes32[] memory fewer = new bytes32[](2);
        for (uint256 i = 0; i < 3; ++i) {
            words[i] = more[i] = bytes32(inputs[i]);
            if (i < 2) fewer[i] = words[i];
        }
        assertTrue(narrow.verify(proof, words));
        assertFalse(narrow.verify(proof, more));
        assertFalse(narrow.verify(proof, fewer));
        assertFalse(narrow.verify(proof, new bytes32[](0)));
        assertFalse(narrow.verify(truncated(proof, 255), words));
        assertFalse(narrow.verify(abi.encodePacked(proof, bytes1(0)), words));
    }

    function test_InsecureVerifierWorksOnLocalChainsOnly() public {
        KnownToxicWasteInsecureDevelopmentGroth16Verifier insecure =
            new KnownToxicWasteInsecureDevelopmentGroth16Verifier();
        assertTrue(insecure.INSECURE_SETUP());
        bytes memory image = abi.encodePacked(DIGEST);
        uint256[2] memory local = [uint256(31337), 1337];
        for (uint256 i = 0; i < 2; ++i) {
            vm.chainId(local[i]);
            assertEq(insecure.verifyImage(SEED, image, CONTEXT, proof), DIGEST);
        }
        (uint256[2] memory a, uint256[2][2] memory b, uint256[2] memory c) = points(proof);
        uint256[3] memory inputs;
        uint256[4] memory other = [uint256(1), 10, 11155111, 8453];
        for (uint256 i = 0; i < 4; ++i) {
            vm.chainId(other[i]);
            bytes memory reason =
                abi.encodeWithSelector(Groth16ImageVerifier.InsecureSetup.selector, other[i]);
            vm.expectRevert(reason);
            insecure.verifyImage(SEED, image, CONTEXT, proof);
            vm.expectRevert(reason);
            insecure.verifyProof(a, b, c, inputs);
            vm.expectRevert(reason);
            insecure.verify(proof, new bytes32[](3));
        }
    }

    function testFuzz_RevertWhen_ProofIsGarbage(bytes calldata garbage) public {
        vm.expectRevert();
        narrow.verifyImage{gas: 600_000}(SEED, abi.encodePacked(DIGEST), CONTEXT, garbage);
    }

    function assertRefusedCheaply(bytes memory bad, bytes memory expected, uint256 limit)
        private
        view
    {
        bytes memory call = abi.encodeCall(
            narrow.verifyImage, (SEED, abi.encodePacked(DIGEST), CONTEXT, bad)
        );
        uint256 before = gasleft();
        (bool success, bytes memory reason) = address(narrow).staticcall{gas: 5_000_000}(call);
        uint256 used = before - gasleft();
        assertFalse(success);
        assertEq(reason, expected);
        assertLt(used, limit);
    }

    function points(bytes memory bytes_)
        private
        pure
        returns (uint256[2] memory a, uint256[2][2] memory b, uint256[2] memory c)
    {
        return abi.decode(bytes_, (uint256[2], uint256[2][2], uint256[2]));
    }

    function word(bytes memory bytes_, uint256 index) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(bytes_, 32), mul(index, 32)))
        }
    }

    function setWord(bytes memory bytes_, uint256 index, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(bytes_, 32), mul(index, 32)), value)
        }
    }

    function truncated(bytes memory bytes_, uint256 length)
        private
        pure
        returns (bytes memory start)
    {
        start = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            start[i] = bytes_[i];
        }
    }

    /// @dev Fermat, by the modular exponentiation precompile.
    function inverse(uint256 value) private view returns (uint256) {
        (bool success, bytes memory result) =
            address(5).staticcall(abi.encode(32, 32, 32, value, R - 2, R));
        require(success, "modExp");
        return abi.decode(result, (uint256));
    }
}
