// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IConditionedVerifier} from "platemark/IConditionedVerifier.sol";
import {IERC7007} from "platemark/IERC7007.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {IModelRegistry} from "platemark/IModelRegistry.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {Collection} from "./Collection.sol";
import {MockConditionedVerifier} from "./MockConditionedVerifier.sol";

/// @title Tokens of a model that is told a label besides the seed
contract ConditionedTokensTest is Collection {
    bytes32 private constant LABELLED = keccak256("model with a label");
    bytes private constant PIXELS = hex"00ff80";
    bytes private constant THREE = hex"0003";

    MockConditionedVerifier private labelled;

    function setUp() public override {
        super.setUp();
        labelled = new MockConditionedVerifier();
        uint256 id = registry.registerModel(
            IModelRegistry.ModelCommitment({
                modelHash: LABELLED,
                circuitHash: keccak256("layout"),
                vkHash: labelled.verifyingKeyHash(),
                proofSystemId: labelled.proofSystem(),
                uri: ""
            }),
            labelled
        );
        vm.prank(owner);
        nft.admitModel(id);
    }

    function proofOf(bytes memory conditions) private view returns (bytes memory) {
        bytes32 context = nft.contextOf(alice, LABELLED);
        return labelled.prove(SEED, conditions, keccak256(PIXELS), context);
    }

    function mintWith(bytes memory conditions, bytes memory proof) private returns (uint256) {
        return nft.mintConditioned(alice, LABELLED, SEED, conditions, PIXELS, proof, false);
    }

    function test_EverySeedAndLabelIsAToken() public {
        bytes memory prompt = abi.encode(LABELLED, SEED, THREE);
        uint256 id = uint256(keccak256(prompt));
        bytes memory proof = proofOf(THREE);
        vm.expectEmit(address(nft));
        emit PlatemarkNFT.ConditionsGiven(id, THREE);
        vm.expectEmit(address(nft));
        emit IERC7007.AigcData(id, prompt, PIXELS, abi.encodePacked(alice, proof));
        assertEq(mintWith(THREE, proof), id);
        assertEq(nft.conditionsOf(id), THREE);
        assertEq(bytes(nft.prompt(id)), prompt);
        assertEq(nft.tokenId(prompt), id);

        uint256 other = mintWith(hex"0004", proofOf(hex"0004"));
        assertEq(nft.conditionsOf(other), hex"0004");
        assertTrue(other != id && other != uint256(keccak256(abi.encode(LABELLED, SEED))));
        assertEq(nft.totalSupply(), 2);

        proof = proofOf(THREE);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.AlreadyMinted.selector, id));
        mintWith(THREE, proof);
    }

    function test_ProofIsForOneLabel() public {
        bytes memory proof = proofOf(THREE);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        mintWith(hex"0004", proof);
    }

    function test_RevertWhen_LabelIsNone() public {
        bytes memory proof = proofOf(hex"000a");
        vm.expectRevert(
            abi.encodeWithSelector(MockConditionedVerifier.LabelInvalid.selector, 10, 10)
        );
        mintWith(hex"000a", proof);
        vm.expectRevert(
            abi.encodeWithSelector(MockConditionedVerifier.ConditionsLengthInvalid.selector, 3, 2)
        );
        mintWith(hex"000300", proof);
    }

    function test_RevertWhen_LabelIsLeftOut() public {
        bytes memory proof = proofOf("");
        vm.expectRevert(IConditionedVerifier.ConditionsRequired.selector);
        mintWith("", proof);
        vm.expectRevert(IConditionedVerifier.ConditionsRequired.selector);
        nft.mint(alice, LABELLED, SEED, PIXELS, proof);
    }

    function test_RevertWhen_ModelTakesNoConditions() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        bytes memory image = abi.encodePacked(DIGEST);
        vm.expectRevert(PlatemarkNFT.VerificationInconclusive.selector);
        nft.mintConditioned(alice, MODEL, SEED, THREE, image, proof, false);
        // Without any, it is what `mint` does.
        uint256 id = nft.mintConditioned(alice, MODEL, SEED, "", image, proof, false);
        assertEq(id, tokenOf(SEED));
    }

    function test_AnybodyVerifiesByThePrompt() public view {
        bytes memory proof = abi.encodePacked(alice, proofOf(THREE));
        assertTrue(nft.verify(abi.encode(LABELLED, SEED, THREE), PIXELS, proof));
        assertFalse(nft.verify(abi.encode(LABELLED, SEED, hex"0004"), PIXELS, proof));
        assertFalse(nft.verify(abi.encode(LABELLED, SEED, hex"000a"), PIXELS, proof));
        assertFalse(nft.verify(abi.encode(LABELLED, SEED), PIXELS, proof));
    }

    function test_DataIsPublishedAgainForTheLabelOnly() public {
        bytes memory prompt = abi.encode(LABELLED, SEED, THREE);
        bytes memory proof = abi.encodePacked(alice, proofOf(THREE));
        uint256 id = mintWith(THREE, proofOf(THREE));
        vm.startPrank(alice);
        nft.addAigcData(id, prompt, PIXELS, proof);
        bytes memory without = abi.encode(LABELLED, SEED);
        vm.expectRevert(
            abi.encodeWithSelector(
                PlatemarkNFT.TokenIdMismatch.selector, id, uint256(keccak256(without))
            )
        );
        nft.addAigcData(id, without, PIXELS, proof);
    }

    /// @dev A prompt has one spelling: anything else is no prompt and no token.
    function testFuzz_PromptHasOneSpelling(bytes calldata conditions, uint8 at, bytes1 other)
        public
    {
        vm.assume(conditions.length != 0);
        bytes memory prompt = abi.encode(LABELLED, SEED, conditions);
        assertEq(nft.tokenId(prompt), uint256(keccak256(prompt)));

        bytes memory longer = bytes.concat(prompt, hex"00");
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.PromptInvalid.selector, longer.length));
        nft.tokenId(longer);

        // A byte of the offset or of the zeros behind the conditions. (Another length says other conditions.)
        uint256 place = 64 + uint256(at) % 32;
        uint256 padding = prompt.length - 128 - conditions.length;
        if (at > 127 && padding != 0) place = prompt.length - 1 - uint256(at) % padding;
        vm.assume(prompt[place] != other);
        prompt[place] = other;
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.PromptInvalid.selector, prompt.length));
        nft.tokenId(prompt);
    }
}
