// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Vm} from "forge-std/Vm.sol";
import {IERC7007, IERC7007Enumerable} from "platemark/IERC7007.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {PlatemarkNFT} from "platemark/PlatemarkNFT.sol";
import {Collection} from "./Collection.sol";
import {KnownKeyProver} from "./KnownKeyProver.sol";
import {KnownKey} from "./generated/KnownKey.sol";

/// @title One test for each fault of ERC-7007's reference implementation
contract Erc7007FaultsTest is Collection {
    bytes private image = abi.encodePacked(DIGEST);

    function bound_(address recipient) private view returns (bytes memory) {
        return abi.encodePacked(recipient, proofFor(recipient, SEED, DIGEST));
    }

    /// @dev 1: prompt and data hashed together without their lengths, so one proof fitted several.
    function testFuzz_Fault1_BytesCannotMoveBetweenPromptAndData(uint256 split) public view {
        bytes memory prompt = promptOf(SEED);
        assertTrue(nft.verify(prompt, image, bound_(alice)));
        bytes memory all = abi.encodePacked(prompt, image);
        split = bound(split, 0, all.length);
        if (split == prompt.length) return;
        bytes memory head = new bytes(split);
        bytes memory tail = new bytes(all.length - split);
        for (uint256 i = 0; i < all.length; ++i) {
            if (i < split) head[i] = all[i];
            else tail[i - split] = all[i];
        }
        assertFalse(nft.verify(head, tail, bound_(alice)));
    }

    /// @dev 2: recipient, chain and contract were not bound (also in PlatemarkNFT.t.sol).
    function test_Fault2_CopiedCalldataServesItsOwnerOnly() public {
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.startPrank(bob);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(bob, MODEL, SEED, image, proof);
        // All that copying can do is to pay for Alice's transaction.
        nft.mint(alice, MODEL, SEED, image, proof);
        assertEq(nft.ownerOf(tokenOf(SEED)), alice);
    }

    /// @dev 3: anybody could add data for anybody's token, under any token id.
    function test_Fault3_AddAigcDataIsForTheTokensOwnPromptOwnerAndData() public {
        uint256 id = mintTo(alice, SEED);
        uint256 other = mintTo(alice, SEED + 1);
        bytes memory proof = bound_(alice);
        bytes memory prompt = promptOf(SEED);

        vm.startPrank(alice);
        vm.expectEmit(address(nft));
        emit IERC7007.AigcData(id, prompt, image, proof);
        nft.addAigcData(id, prompt, image, proof);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.TokenIdMismatch.selector, other, id));
        nft.addAigcData(other, prompt, image, proof);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.addAigcData(id, prompt, abi.encodePacked(bytes32(uint256(1))), proof);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.ProofHasNoRecipient.selector, 19));
        nft.addAigcData(id, prompt, image, new bytes(19));
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, tokenOf(99))
        );
        nft.addAigcData(tokenOf(99), promptOf(99), image, proof);
        vm.stopPrank();

        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, bob, id)
        );
        vm.prank(bob);
        nft.addAigcData(id, prompt, image, proof);
        assertEq(nft.statementOf(id).imageHash, DIGEST);
    }

    /// @dev Even a proof of another image, which only a broken key allows, changes no token.
    function test_Fault3_AddAigcDataNeverChangesTheImage() public {
        uint256 id = mintTo(alice, SEED);
        bytes32 forged = bytes32(uint256(DIGEST) + 1);
        bytes memory proof = abi.encodePacked(alice, proofFor(alice, SEED, forged));
        vm.expectRevert(
            abi.encodeWithSelector(PlatemarkNFT.ImageHashMismatch.selector, id, DIGEST, forged)
        );
        vm.prank(alice);
        nft.addAigcData(id, promptOf(SEED), abi.encodePacked(forged), proof);
    }

    /// @dev 4: its own interface id was not supported.
    function test_Fault4_SupportsItsOwnIds() public view {
        assertEq(type(IERC7007).interfaceId, bytes4(0x702c55a6));
        assertEq(type(IERC7007Enumerable).interfaceId, bytes4(0xfa1a557a));
        assertTrue(nft.supportsInterface(0x702c55a6));
        assertTrue(nft.supportsInterface(0xfa1a557a));
    }

    /// @dev 5: metadata by concatenation, so that a prompt could add fields, and no data URI.
    function test_Fault5_NamesCannotInjectIntoTheMetadata() public {
        string memory evil = '","image":"ipfs://evil","x":"\\\n\t\u0001</svg><script>';
        nft = newCollection(evil, evil, string.concat('ipfs://a/","image":"', evil));
        string memory json = metadata(mintTo(alice, SEED));
        assertEq(vm.parseJsonString(json, ".name"), string.concat(evil, " 42"));
        assertEq(vm.parseJsonString(json, ".description"), evil);
        assertEq(vm.parseJsonKeys(json, "$").length, 8);
        assertEq(
            vm.parseJsonString(json, ".image"),
            string.concat('ipfs://a/","image":"', evil, vm.toString(MODEL), "/42.png")
        );
        string memory collection = decoded(nft.contractURI());
        assertEq(vm.parseJsonKeys(collection, "$").length, 3);
        assertEq(vm.parseJsonString(collection, ".name"), evil);
    }

    function testFuzz_Fault5_MetadataIsJsonWhateverTheNames(string calldata text, uint256 seed)
        public
    {
        nft = newCollection(text, text, text);
        string memory json = metadata(mintTo(alice, seed));
        assertEq(vm.parseJsonKeys(json, "$").length, 8);
        assertEq(vm.parseJsonString(json, ".attributes[1].value"), vm.toString(seed));
        assertEq(vm.parseJsonString(json, ".aigc_data"), vm.toString(DIGEST));
        assertEq(vm.parseJsonString(json, ".prompt"), vm.toString(promptOf(seed)));
    }

    function test_Fault5_MetadataWithoutPicturesHasACard() public {
        string memory json = metadata(mintTo(alice, SEED));
        assertEq(vm.parseJsonString(json, ".name"), "Sprites 42");
        assertEq(vm.parseJsonString(json, ".proof_type"), "validity");
        assertEq(vm.parseJsonString(json, ".aigc_type"), "image");
        string memory card = vm.parseJsonString(json, ".image");
        string memory start = "data:image/svg+xml;base64,";
        assertEq(vm.indexOf(card, start), 0);
        string memory svg = string(Base64.decode(vm.replace(card, start, "")));
        assertEq(vm.indexOf(svg, "<svg "), 0);
        assertTrue(vm.contains(svg, vm.toString(DIGEST)));
    }

    /// @dev 6: the event's layout differed from the Final text's, where prompt and data are topics.
    function test_Fault6_EventHasTheLayoutOfTheFinalText() public {
        bytes memory proof = bound_(alice);
        vm.recordLogs();
        uint256 id = mintTo(alice, SEED);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3);
        Vm.Log memory log = logs[2];
        assertEq(log.topics[0], 0x65deac95b53ba76b9cdc6cf446af81731e1218c91eaf9811a95d28bde23b893e);
        assertEq(log.topics.length, 4);
        assertEq(uint256(log.topics[1]), id);
        assertEq(log.topics[2], keccak256(promptOf(SEED)));
        assertEq(log.topics[3], keccak256(image));
        assertEq(abi.decode(log.data, (bytes)), proof);
        // Ours says in the clear what the hashes hide.
        (uint256 seed, bytes32 imageHash) = abi.decode(logs[1].data, (uint256, bytes32));
        assertEq(seed, SEED);
        assertEq(imageHash, DIGEST);
    }

    /// @dev 7: the receiver was called before the proof was checked.
    function test_Fault7_ReceiverIsNotCalledForABadProof() public {
        Witness receiver = new Witness();
        vm.expectCall(
            address(receiver), abi.encodeWithSelector(Witness.onERC721Received.selector), 0
        );
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(IImageVerifier.ProofInvalid.selector);
        nft.mint(address(receiver), MODEL, SEED, image, proof);
    }

    // 8: it did not compile with OpenZeppelin 4.9 or 5. This file does.

    /// @dev 9: existence was tested by `ownerOf(id) != 0`, which is never false.
    function test_Fault9_ExistenceIsTestedWithoutReverting() public {
        uint256 id = mintTo(alice, SEED);
        bytes memory proof = proofFor(alice, SEED, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.AlreadyMinted.selector, id));
        nft.mint(alice, MODEL, SEED, image, proof);
    }

    function test_PromptAndTokenIdAreInverse() public {
        uint256 id = mintTo(alice, SEED);
        assertEq(bytes(nft.prompt(id)), promptOf(SEED));
        assertEq(nft.tokenId(bytes(nft.prompt(id))), id);
        vm.expectRevert(abi.encodeWithSelector(PlatemarkNFT.PromptInvalid.selector, 63));
        nft.tokenId(new bytes(63));
    }

    function test_VerifyIsFalseForEverythingElse() public {
        bytes memory prompt = promptOf(SEED);
        bytes memory proof = bound_(alice);
        assertTrue(nft.verify(prompt, image, proof));
        assertFalse(nft.verify(promptOf(SEED + 1), image, proof));
        assertFalse(nft.verify(abi.encode(keccak256("other"), SEED), image, proof));
        assertFalse(nft.verify(abi.encodePacked(prompt, hex"00"), image, proof));
        assertFalse(nft.verify("", image, proof));
        assertFalse(nft.verify(prompt, "", proof));
        assertFalse(nft.verify(prompt, abi.encodePacked(image, hex"00"), proof));
        assertFalse(nft.verify(prompt, image, ""));
        assertFalse(nft.verify(prompt, image, new bytes(19)));
        assertFalse(nft.verify(prompt, image, new bytes(20)));
        assertFalse(nft.verify(prompt, image, new bytes(276)));
        assertFalse(nft.verify(prompt, image, abi.encodePacked(proof, hex"00")));
        assertFalse(nft.verify(prompt, image, abi.encodePacked(bob, proofFor(alice, SEED, DIGEST))));
        assertFalse(
            nft.verify(
                prompt,
                image,
                abi.encodePacked(
                    alice, KnownKeyProver.prove(KnownKey.NARROW, SEED, DIGEST, keccak256("context"))
                )
            )
        );
        vm.chainId(1);
        assertFalse(nft.verify(prompt, image, proof));
    }

    /// @dev Whatever the gas, `verify` of a good proof is never false.
    function testFuzz_VerifyNeverTakesMissingGasForABadProof(uint256 gasLimit) public view {
        gasLimit = bound(gasLimit, 5_000, 350_000);
        (bool success, bytes memory result) = address(nft).staticcall{gas: gasLimit}(
            abi.encodeCall(nft.verify, (promptOf(SEED), image, bound_(alice)))
        );
        if (success) assertTrue(abi.decode(result, (bool)));
    }

    function metadata(uint256 id) private view returns (string memory) {
        return decoded(nft.tokenURI(id));
    }

    function decoded(string memory uri) private pure returns (string memory) {
        string memory start = "data:application/json;base64,";
        assertEq(vm.indexOf(uri, start), 0);
        return string(Base64.decode(vm.replace(uri, start, "")));
    }
}

contract Witness {
    function onERC721Received(address, address, uint256, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC721Received.selector;
    }
}
