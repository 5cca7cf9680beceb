// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {EzklImageVerifier} from "platemark/EzklImageVerifier.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {SeedExpansion} from "platemark/SeedExpansion.sol";

/// Stands in for the contract that ezkl writes: it accepts one proof for one instance, and like that one
/// reads the proof at a fixed place, reverts without a reason and returns a word.
contract Halo2VerifierDouble {
    function verifyProof(bytes calldata proof, uint256[] calldata instance)
        external
        pure
        returns (bool)
    {
        uint256 fixedPlace;
        assembly ("memory-safe") {
            fixedPlace := calldataload(0x64)
        }
        require(fixedPlace == uint256(keccak256(abi.encodePacked(instance))));
        require(proof.length == 70);
        return true;
    }
}

contract Halo2VerifierThatSaysNo {
    function verifyProof(bytes calldata, uint256[] calldata) external pure returns (bool) {
        return false;
    }
}

contract EzklVerifierDouble is EzklImageVerifier {
    uint256 public constant DIMENSIONS = 40;

    constructor(bytes memory code) EzklImageVerifier(code) {}

    function modelId() external pure returns (bytes32) {
        return keccak256("model");
    }

    function verifyingKeyHash() external pure returns (bytes32) {
        return keccak256("key");
    }

    function _latentDimensions() internal pure override returns (uint256) {
        return DIMENSIONS;
    }

    function _pixelCount() internal pure override returns (uint256) {
        return 12;
    }

    function _proofLength() internal pure override returns (uint256) {
        return 70;
    }

    function _halo2CodeHash() internal pure virtual override returns (bytes32) {
        return keccak256(type(Halo2VerifierDouble).runtimeCode);
    }

    function _requiredGas() internal pure override returns (uint256) {
        return 500_000;
    }
}

contract EzklVerifierThatIsToldNo is EzklVerifierDouble {
    constructor() EzklVerifierDouble(type(Halo2VerifierThatSaysNo).creationCode) {}

    function _halo2CodeHash() internal pure override returns (bytes32) {
        return keccak256(type(Halo2VerifierThatSaysNo).runtimeCode);
    }
}

contract EzklVerifierTest is Test {
    uint256 private constant SEED = 42;
    bytes32 private constant CONTEXT = keccak256("context");
    bytes private image = hex"00ff0102030405060708090a";

    EzklVerifierDouble private verifier =
        new EzklVerifierDouble(type(Halo2VerifierDouble).creationCode);

    /// The instance as the toolkit lays it out: latent bytes, context, pixels.
    function _instance(uint256 seed, bytes memory pixels, bytes32 context)
        private
        view
        returns (uint256[] memory instance)
    {
        uint256 dimensions = verifier.DIMENSIONS();
        instance = new uint256[](dimensions + 1 + pixels.length);
        for (uint256 j = 0; j < dimensions; ++j) {
            bytes32 hash = keccak256(abi.encode(SeedExpansion.SEED_DOMAIN, seed, j / 31));
            instance[j] = uint8(hash[j % 31]);
        }
        instance[dimensions] = uint256(context) >> 3;
        for (uint256 i = 0; i < pixels.length; ++i) {
            instance[dimensions + 1 + i] = uint8(pixels[i]);
        }
    }

    function _proof(uint256 seed, bytes memory pixels, bytes32 context)
        private
        view
        returns (bytes memory)
    {
        bytes32 first = keccak256(abi.encodePacked(_instance(seed, pixels, context)));
        return abi.encodePacked(first, new bytes(38));
    }

    function test_GivesTheHalo2VerifierTheInstanceOfTheStatement() public view {
        bytes32 hash = verifier.verifyImage(SEED, image, CONTEXT, _proof(SEED, image, CONTEXT));
        assertEq(hash, keccak256(image));
    }

    function testFuzz_BindsSeedContextAndImage(uint256 seed, bytes32 context, bytes12 pixels)
        public
        view
    {
        bytes memory other = abi.encodePacked(pixels);
        bytes memory proof = _proof(seed, other, context);
        assertEq(verifier.verifyImage(seed, other, context, proof), keccak256(other));
    }

    function test_RevertWhen_SeedContextOrImageDiffer() public {
        bytes memory proof = _proof(SEED, image, CONTEXT);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        verifier.verifyImage(SEED + 1, image, CONTEXT, proof);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        verifier.verifyImage(SEED, image, keccak256("other"), proof);
        bytes memory changed = bytes.concat(image);
        changed[11] = 0x0b;
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        verifier.verifyImage(SEED, changed, CONTEXT, proof);
    }

    function test_RevertWhen_LengthsAreWrong() public {
        bytes memory proof = _proof(SEED, image, CONTEXT);
        vm.expectRevert(
            abi.encodeWithSelector(EzklImageVerifier.ImageLengthInvalid.selector, 13, 12)
        );
        verifier.verifyImage(SEED, bytes.concat(image, hex"00"), CONTEXT, proof);
        vm.expectRevert(
            abi.encodeWithSelector(EzklImageVerifier.ProofLengthInvalid.selector, 71, 70)
        );
        verifier.verifyImage(SEED, image, CONTEXT, bytes.concat(proof, hex"00"));
    }

    function test_RevertWhen_ThereIsTooLittleGas() public {
        bytes memory proof = _proof(SEED, image, CONTEXT);
        (bool success, bytes memory reason) = address(verifier).call{gas: 400_000}(
            abi.encodeCall(verifier.verifyImage, (SEED, image, CONTEXT, proof))
        );
        assertFalse(success);
        assertEq(bytes4(reason), IImageVerifier.InsufficientGas.selector);
    }

    function test_RevertWhen_TheHalo2VerifierAnswersNo() public {
        EzklVerifierThatIsToldNo told = new EzklVerifierThatIsToldNo();
        bytes memory proof = _proof(SEED, image, CONTEXT);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        told.verifyImage(SEED, image, CONTEXT, proof);
    }

    function test_RevertWhen_TheHalo2VerifierIsAnother() public {
        bytes memory other = type(Halo2VerifierThatSaysNo).creationCode;
        vm.expectRevert();
        new EzklVerifierDouble(other);
        // Nor later, whatever stands at the address.
        vm.etch(verifier.HALO2_VERIFIER(), type(Halo2VerifierThatSaysNo).runtimeCode);
        bytes memory proof = _proof(SEED, image, CONTEXT);
        vm.expectPartialRevert(EzklImageVerifier.Halo2VerifierInvalid.selector);
        verifier.verifyImage(SEED, image, CONTEXT, proof);
    }

    function test_NamesItsProofSystem() public view {
        assertEq(verifier.proofSystem(), bytes4(keccak256("ezkl-halo2-bn254-v1")));
    }
}
