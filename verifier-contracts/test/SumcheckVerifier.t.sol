// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {IImageVerifier} from "platemark/IImageVerifier.sol";
import {SumcheckClaims} from "platemark/SumcheckClaims.sol";
import {P, loadModulus} from "platemark/SumcheckField.sol";
import {SumcheckImage} from "platemark/SumcheckImage.sol";
import {SumcheckOpening} from "platemark/SumcheckOpening.sol";
import {Run} from "platemark/SumcheckRun.sol";
import {SumcheckTranscript} from "platemark/SumcheckTranscript.sol";
import {SumcheckVerifier} from "platemark/SumcheckVerifier.sol";

/// @dev The steps of `SumcheckVerifier.verify`, each with the gas that it takes.
contract SumcheckParts {
    function measure(
        bytes calldata key,
        uint256 seed,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) external view returns (uint256[6] memory gas) {
        uint256 before = gasleft();
        loadModulus();
        Run memory run = SumcheckTranscript.open(key, proof);
        run.seed = seed;
        bytes32 imageHash = SumcheckImage.hash(run, image);
        uint256 now_ = gasleft();
        gas[0] = before - now_;
        SumcheckTranscript.read(run, seed, context, imageHash);
        before = gasleft();
        gas[1] = now_ - before;
        uint256 imageValue = SumcheckImage.value(run, image);
        now_ = gasleft();
        gas[2] = before - now_;
        SumcheckClaims.prepare(run);
        SumcheckClaims.nodesAndLookups(run);
        before = gasleft();
        gas[3] = now_ - before;
        SumcheckClaims.image(run, imageValue);
        SumcheckClaims.check(run);
        now_ = gasleft();
        gas[4] = before - now_;
        SumcheckOpening.check(run, imageValue);
        gas[5] = now_ - gasleft();
    }
}

/// @title The engine on proofs of real models: gas by part, and what little gas does
/// @dev The vectors of all verifiers are in sumcheck-engine.test.ts.
contract SumcheckVerifierTest is Test {
    struct Model {
        bytes32 context;
        bytes image;
        bytes key;
        string name;
        bytes proof;
        uint256 seed;
    }

    SumcheckVerifier private engine;
    SumcheckParts private parts;
    string private json;

    function setUp() public {
        engine = new SumcheckVerifier();
        parts = new SumcheckParts();
        json = vm.readFile("verifier-contracts/test/generated/sumcheck-models.json");
    }

    function test_Gas_VerifyByPart() public {
        string[6] memory names = [
            "shape and image hash",
            "transcript and rounds",
            "pixels",
            "claims",
            "image weights",
            "opening"
        ];
        for (uint256 i = 0; i < 4; ++i) {
            Model memory model = _model(i);
            engine.verify(model.key, model.seed, "", model.image, model.context, model.proof);
            vm.snapshotGasLastCall("SumcheckVerifier", model.name);
            uint256[6] memory gas =
                parts.measure(model.key, model.seed, model.image, model.context, model.proof);
            for (uint256 k = 0; k < 6; ++k) {
                vm.snapshotValue(
                    "SumcheckVerifier", string.concat(model.name, ": ", names[k]), gas[k]
                );
            }
            vm.snapshotValue(
                "SumcheckVerifier",
                string.concat(model.name, ": calldata of image and proof"),
                _calldataGas(model.image) + _calldataGas(model.proof)
            );
        }
    }

    /// @dev Whatever the gas, a valid proof is accepted or there is no verdict.
    function testFuzz_TooLittleGasIsNoVerdict(uint256 gas) public view {
        Model memory model = _model(1);
        gas = bound(gas, 30_000, 600_000);
        (bool ok, bytes memory reason) = address(engine).staticcall{gas: gas}(
            abi.encodeCall(
                engine.verify, (model.key, model.seed, "", model.image, model.context, model.proof)
            )
        );
        if (ok || reason.length == 0) return;
        assertEq(bytes4(reason), IImageVerifier.InsufficientGas.selector);
    }

    /// @dev Points are checked before a precompile sees them.
    function test_RevertWhen_PointIsOffTheCurve() public {
        Model memory model = _model(1);
        model.proof[63] ^= 0x01;
        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(SumcheckTranscript.PointNotOnCurve.selector, 0));
        engine.verify(model.key, model.seed, "", model.image, model.context, model.proof);
        assertLt(before - gasleft(), 100_000);
    }

    function testFuzz_RevertWhen_ContextIsAnother(bytes32 context) public {
        Model memory model = _model(1);
        vm.assume(context != model.context);
        vm.expectRevert(SumcheckClaims.ClaimMismatch.selector);
        engine.verify(model.key, model.seed, "", model.image, context, model.proof);
    }

    /// @dev FOUNDRY_FUZZ_RUNS=10000 is the long form.
    function testFuzz_RevertWhen_OneWordIsAnother(uint256 which, uint256 place, uint256 word)
        public
    {
        Model memory model = _model(bound(which, 0, 3));
        bytes memory proof = model.proof;
        place = 32 * (bound(place, 1, proof.length / 32));
        uint256 old;
        assembly ("memory-safe") {
            old := mload(add(proof, place))
            mstore(add(proof, place), word)
        }
        vm.assume(word != old);
        vm.expectRevert();
        engine.verify(model.key, model.seed, "", model.image, model.context, proof);
    }

    /// @dev Reduced words, so that encodings are not what is refused.
    function testFuzz_RevertWhen_OneWordIsAnotherScalar(uint256 which, uint256 place, uint256 by)
        public
    {
        Model memory model = _model(bound(which, 0, 3));
        bytes memory proof = model.proof;
        place = 32 * (bound(place, 1, proof.length / 32));
        by = bound(by, 1, P - 1);
        assembly ("memory-safe") {
            let at := add(proof, place)
            mstore(at, addmod(mload(at), by, P))
        }
        vm.expectRevert();
        engine.verify(model.key, model.seed, "", model.image, model.context, proof);
    }

    function _calldataGas(bytes memory data) private pure returns (uint256 gas) {
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }

    function _model(uint256 i) private view returns (Model memory model) {
        string memory at = string.concat("[", vm.toString(i), "]");
        model.context = vm.parseJsonBytes32(json, string.concat(at, ".context"));
        model.image = vm.parseJsonBytes(json, string.concat(at, ".image"));
        model.key = vm.parseJsonBytes(json, string.concat(at, ".key"));
        model.name = vm.parseJsonString(json, string.concat(at, ".name"));
        model.proof = vm.parseJsonBytes(json, string.concat(at, ".proof"));
        model.seed = vm.parseJsonUint(json, string.concat(at, ".seed"));
    }
}
