// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Utils} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Utils.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {IERC7007, IERC7007Enumerable} from "./IERC7007.sol";
import {IConditionedVerifier} from "./IConditionedVerifier.sol";
import {IImageVerifier} from "./IImageVerifier.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {KeptPixels} from "./KeptPixels.sol";
import {PlatemarkContext} from "./PlatemarkContext.sol";
import {TokenMetadata} from "./TokenMetadata.sol";

/// @title A collection of proven images
/// @notice A token says: the model `modelId` generates, from `seed` and the conditions that it takes, if
/// any, exactly the image with hash `imageHash`. It does not say who made the model, whether it may be used, or that the picture at an
/// `image` URI outside the chain is that image; whoever has the model can check the latter.
///
/// - The prompt of ERC-7007 is abi.encode(modelId, seed), 64 bytes, and for a model that takes conditions
///   abi.encode(modelId, seed, conditions); the token id is its keccak256. So there is one token per model,
///   seed and conditions, and whoever first shows a proof owns it.
/// - A proof is for one recipient, contract and chain. A copy of it from the mempool mints to the same
///   recipient, so front-running gains nothing.
/// - `aigcData` in ERC-7007's functions is what the verifier takes for the image: its pixels or its hash.
///   The event has it indexed, so a log holds its keccak256; the image hash is in `ImageMinted`.
/// - `proof` in ERC-7007's functions and event is the recipient (20 bytes) followed by the proof bytes.
/// - Which models count is the collection owner's choice (`admitModel`); renouncing ownership ends it.
///   A model once admitted keeps its verifier forever, provided that `REGISTRY` is a `ModelRegistry`,
///   whose entries cannot change; its registrant can deprecate it, which stops minting and leaves
///   existing tokens as they are.
/// - Where the model's verifier is given the pixels themselves, the collection can keep them: then the
///   metadata's picture is a PNG of the proven pixels, made by this contract.
/// @dev Tokens cannot be burned, so a statement is never minted twice.
contract PlatemarkNFT is ERC721, ERC2981, Ownable2Step, IERC7007Enumerable, IERC4906 {
    using KeptPixels for KeptPixels.Picture;

    /// @notice What a collection is made with.
    /// @param name Name of the collection.
    /// @param symbol Its symbol.
    /// @param description Its description in the metadata.
    /// @param imageBaseUri Where pictures are, see `setImageBaseUri`.
    /// @param owner Who admits models and sets royalties.
    /// @param royaltyReceiver Who is paid royalties; the zero address for no royalties.
    /// @param royaltyBasisPoints Royalty in hundredths of a percent.
    struct Options {
        string name;
        string symbol;
        string description;
        string imageBaseUri;
        address owner;
        address royaltyReceiver;
        uint96 royaltyBasisPoints;
    }

    /// @notice What a token states.
    /// @param modelId The model.
    /// @param seed The seed.
    /// @param imageHash Hash of the image under the scheme of the model's proof system.
    struct ImageStatement {
        bytes32 modelId;
        uint256 seed;
        bytes32 imageHash;
    }

    /// @dev Length of abi.encode(modelId, seed).
    uint256 private constant PROMPT_LENGTH = 64;

    /// @dev Length of the recipient in front of ERC-7007's `proof`.
    uint256 private constant ADDRESS_LENGTH = 20;

    /// @dev ERC-4906 has events only; its id is given in its text.
    bytes4 private constant ERC4906_INTERFACE_ID = 0x49064906;

    /// @notice The registry that the admitted models are in.
    IModelRegistry public immutable REGISTRY;

    /// @notice Number of tokens.
    uint256 public totalSupply;

    /// @notice Start of every picture's URI, see `setImageBaseUri`.
    string public imageBaseUri;

    string private _description;
    mapping(bytes32 modelId => uint256 registryId) private _registryIds;
    mapping(uint256 id => ImageStatement) private _statements;
    mapping(uint256 id => KeptPixels.Picture) private _pictures;
    mapping(uint256 id => bytes) private _conditions;

    /// @notice A token was minted. In the clear what ERC-7007's event shows as hashes only.
    event ImageMinted(
        uint256 indexed tokenId,
        bytes32 indexed modelId,
        address indexed recipient,
        uint256 seed,
        bytes32 imageHash
    );
    /// @notice What was chosen besides the seed, for a token of a model that takes conditions.
    event ConditionsGiven(uint256 indexed tokenId, bytes conditions);
    /// @notice The pixels of a token's image are on chain from now on.
    event PixelsKept(uint256 indexed tokenId, address pointer);
    /// @notice Images of a model can be minted from now on.
    event ModelAdmitted(bytes32 indexed modelId, uint256 indexed registryId, address verifier);

    /// @notice The collection's owner has not admitted the model.
    error ModelNotAdmitted(bytes32 modelId);
    /// @notice The model is admitted already; its verifier cannot be replaced.
    error ModelAlreadyAdmitted(bytes32 modelId, uint256 registryId);
    /// @notice The model was registered without a verifier.
    error ModelHasNoVerifier(uint256 registryId);
    /// @notice The model's registrant has deprecated it.
    error ModelDeprecated(bytes32 modelId, uint256 registryId);
    /// @notice The token of this model and seed exists.
    error AlreadyMinted(uint256 tokenId);
    /// @notice The token id is not the hash of the prompt.
    error TokenIdMismatch(uint256 tokenId, uint256 promptTokenId);
    /// @notice A prompt is abi.encode(bytes32 modelId, uint256 seed), and with conditions
    /// abi.encode(bytes32 modelId, uint256 seed, bytes conditions).
    error PromptInvalid(uint256 length);
    /// @notice The proof is shorter than the recipient's address in front of it.
    error ProofHasNoRecipient(uint256 length);
    /// @notice The verifier accepted another image than the token's.
    error ImageHashMismatch(uint256 tokenId, bytes32 minted, bytes32 verified);
    /// @notice The verifier failed without a reason, as it does when gas runs out or when conditions are
    /// given for a model that takes none: no verdict.
    error VerificationInconclusive();

    /// @notice Makes a collection.
    /// @param registry Registry of the models.
    /// @param options Names, owner and royalties.
    /// @param registryIds Models to admit at once, by their registry ids.
    constructor(IModelRegistry registry, Options memory options, uint256[] memory registryIds)
        ERC721(options.name, options.symbol)
        Ownable(options.owner)
    {
        REGISTRY = registry;
        imageBaseUri = options.imageBaseUri;
        _description = options.description;
        if (options.royaltyReceiver != address(0)) {
            _setDefaultRoyalty(options.royaltyReceiver, options.royaltyBasisPoints);
        }
        for (uint256 i = 0; i < registryIds.length; ++i) {
            _admit(registryIds[i]);
        }
    }

    /// @notice Mints the token of a model and a seed to `recipient`, for whom the proof was made.
    /// Anybody may send the transaction.
    /// @dev The verifier is called statically. The receiver's `onERC721Received` comes last, when all
    /// state is written and all events are out, so a reentrant caller finds a finished token. It is
    /// called, rather than left out, because a token sent to a contract that cannot hold it is lost,
    /// and with it the only token of this seed.
    /// @param recipient Who gets the token.
    /// @param modelId The model.
    /// @param seed The seed.
    /// @param image What stands for the image, see `IImageVerifier`.
    /// @param proof The proof bytes.
    /// @return id The token.
    function mint(
        address recipient,
        bytes32 modelId,
        uint256 seed,
        bytes calldata image,
        bytes calldata proof
    ) external returns (uint256 id) {
        id = _mintImage(recipient, modelId, seed, image[:0], image, proof);
        ERC721Utils.checkOnERC721Received(msg.sender, address(0), recipient, id, "");
    }

    /// @notice Mints the token of a model that takes conditions, for a seed and these.
    /// @param recipient Who gets the token.
    /// @param modelId The model.
    /// @param seed The seed.
    /// @param conditions What was chosen besides the seed, see `IConditionedVerifier`; at least one byte.
    /// @param image What stands for the image, see `IImageVerifier`.
    /// @param proof The proof bytes.
    /// @param keep Whether to keep the pixels as well, see `keepPixels`.
    /// @return id The token.
    function mintConditioned(
        address recipient,
        bytes32 modelId,
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes calldata proof,
        bool keep
    ) external returns (uint256 id) {
        id = _mintImage(recipient, modelId, seed, conditions, image, proof);
        if (keep) _keepPixels(id, image);
        ERC721Utils.checkOnERC721Received(msg.sender, address(0), recipient, id, "");
    }

    /// @notice `mint` and `keepPixels` in one, for models whose verifier is given the pixels.
    /// @param recipient Who gets the token.
    /// @param modelId The model.
    /// @param seed The seed.
    /// @param pixels The image, see `IPixelVerifier`.
    /// @param proof The proof bytes.
    /// @return id The token.
    function mintAndKeepPixels(
        address recipient,
        bytes32 modelId,
        uint256 seed,
        bytes calldata pixels,
        bytes calldata proof
    ) external returns (uint256 id) {
        id = _mintImage(recipient, modelId, seed, pixels[:0], pixels, proof);
        _keepPixels(id, pixels);
        ERC721Utils.checkOnERC721Received(msg.sender, address(0), recipient, id, "");
    }

    /// @notice Keeps the pixels of a token's image on chain, for good. The metadata's picture is made
    /// from them from then on.
    /// @dev Anybody may pay for that: only the pixels that were proven have the token's image hash.
    /// @param id The token.
    /// @param pixels The image, see `IPixelVerifier`.
    function keepPixels(uint256 id, bytes calldata pixels) external {
        _requireOwned(id);
        _keepPixels(id, pixels);
    }

    /// @notice Lets images of a registered model be minted in this collection, for good.
    /// @dev Look at the verifier's code first: the registry admits anything.
    /// @param registryId The model's id in the registry.
    function admitModel(uint256 registryId) external onlyOwner {
        _admit(registryId);
    }

    /// @notice Sets the royalty of all tokens.
    /// @param receiver Who is paid; the zero address for no royalties.
    /// @param basisPoints Hundredths of a percent of the sale price.
    function setRoyalty(address receiver, uint96 basisPoints) external onlyOwner {
        if (receiver == address(0)) _deleteDefaultRoyalty();
        else _setDefaultRoyalty(receiver, basisPoints);
    }

    /// @notice Sets where pictures are: `<base><modelId>/<seed>.png`, the seed in decimal, behind it -0x… for
    /// a token with conditions. With an empty
    /// base the metadata's image is a card drawn on chain. The URI is a convenience; what is proven is
    /// the image hash. Tokens whose pixels are kept do not need it.
    /// @param base The new start of all URIs.
    function setImageBaseUri(string calldata base) external onlyOwner {
        imageBaseUri = base;
        emit BatchMetadataUpdate(0, type(uint256).max);
    }

    /// @inheritdoc IERC7007
    /// @dev `mint` adds the data already. This publishes it again, for the token's owner and operators
    /// only; it reverts unless the data proves to be the token's.
    function addAigcData(
        uint256 tokenId_,
        bytes calldata prompt_,
        bytes calldata aigcData,
        bytes calldata proof
    ) external {
        uint256 promptTokenId = uint256(keccak256(prompt_));
        if (tokenId_ != promptTokenId) revert TokenIdMismatch(tokenId_, promptTokenId);
        _checkAuthorized(_ownerOf(tokenId_), msg.sender, tokenId_);
        if (proof.length < ADDRESS_LENGTH) revert ProofHasNoRecipient(proof.length);
        // The token exists, so the prompt has the form that `mint` gave it.
        (bytes32 modelId, uint256 seed, bytes calldata conditions,) = _readPrompt(prompt_);
        (IImageVerifier verifier,,) = _verifierOf(modelId);
        (bytes32 context, bytes calldata bare) = _contextOf(modelId, proof);
        bytes32 imageHash = _verify(verifier, seed, conditions, aigcData, context, bare);
        bytes32 minted = _statements[tokenId_].imageHash;
        if (imageHash != minted) revert ImageHashMismatch(tokenId_, minted, imageHash);
        emit AigcData(tokenId_, prompt_, aigcData, proof);
    }

    /// @inheritdoc IERC7007
    /// @dev Needs no token and does not care about deprecation: a proof does not become wrong. Reverts
    /// with `VerificationInconclusive` rather than answer false when the gas did not suffice, or the verifier
    /// knows nothing of the prompt's conditions.
    function verify(bytes calldata prompt_, bytes calldata aigcData, bytes calldata proof)
        external
        view
        returns (bool success)
    {
        (bytes32 modelId, uint256 seed, bytes calldata conditions, bool valid) =
            _readPrompt(prompt_);
        if (!valid || proof.length < ADDRESS_LENGTH || _registryIds[modelId] == 0) return false;
        (IImageVerifier verifier,,) = _verifierOf(modelId);
        (bytes32 context, bytes calldata bare) = _contextOf(modelId, proof);
        if (conditions.length == 0) {
            try verifier.verifyImage(seed, aigcData, context, bare) returns (bytes32) {
                return true;
            } catch (bytes memory reason) {
                return _refusal(reason);
            }
        }
        IConditionedVerifier conditioned = IConditionedVerifier(address(verifier));
        try conditioned.verifyConditionedImage(seed, conditions, aigcData, context, bare) returns (
            bytes32
        ) {
            return true;
        } catch (bytes memory reason) {
            return _refusal(reason);
        }
    }

    /// @dev False for a verdict; reverts where there is none.
    function _refusal(bytes memory reason) private pure returns (bool) {
        // The first four bytes of a reason are its error's selector.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (reason.length < 4 || bytes4(reason) == IImageVerifier.InsufficientGas.selector) {
            revert VerificationInconclusive();
        }
        return false;
    }

    /// @inheritdoc IERC7007Enumerable
    function tokenId(bytes calldata prompt_) external pure returns (uint256 id) {
        (,,, bool valid) = _readPrompt(prompt_);
        if (!valid) revert PromptInvalid(prompt_.length);
        return uint256(keccak256(prompt_));
    }

    /// @inheritdoc IERC7007Enumerable
    /// @dev The prompt's exact bytes, so that `tokenId(bytes(prompt(id))) == id`. They are not text;
    /// off chain, call `statementOf` instead.
    function prompt(uint256 id) external view returns (string memory text) {
        _requireOwned(id);
        ImageStatement storage statement = _statements[id];
        return string(_encodePrompt(statement.modelId, statement.seed, _conditions[id]));
    }

    /// @notice What a token states.
    /// @param id The token.
    /// @return statement Model, seed and image hash.
    function statementOf(uint256 id) external view returns (ImageStatement memory statement) {
        _requireOwned(id);
        return _statements[id];
    }

    /// @notice What was chosen besides the seed.
    /// @param id The token.
    /// @return conditions As `IConditionedVerifier` has them; empty for a model that takes none.
    function conditionsOf(uint256 id) external view returns (bytes memory conditions) {
        _requireOwned(id);
        return _conditions[id];
    }

    /// @notice The pixels of a token's image, where they are kept.
    /// @param id The token.
    /// @return pixels Row-major height × width × channels, one byte each; empty when they are not kept.
    /// @return picture Where they are, and the image's size.
    function pixelsOf(uint256 id)
        external
        view
        returns (bytes memory pixels, KeptPixels.Picture memory picture)
    {
        _requireOwned(id);
        picture = _pictures[id];
        pixels = picture.read();
    }

    /// @notice The registry id behind an admitted model.
    /// @param modelId The model.
    /// @return registryId Its id in `REGISTRY`.
    function registryIdOf(bytes32 modelId) public view returns (uint256 registryId) {
        registryId = _registryIds[modelId];
        if (registryId == 0) revert ModelNotAdmitted(modelId);
    }

    /// @notice What a proof must be bound to so that this collection accepts it.
    /// @param recipient Who is to get the token.
    /// @param modelId The model.
    /// @return hash The context.
    function contextOf(address recipient, bytes32 modelId) external view returns (bytes32 hash) {
        return PlatemarkContext.contextHash(recipient, modelId);
    }

    /// @notice The token's metadata as a data URI; every string in it is escaped. The picture is a PNG
    /// made here where the pixels are kept, else at `imageBaseUri`, else a card.
    /// @param id The token.
    /// @return uri data:application/json;base64,…
    function tokenURI(uint256 id) public view override returns (string memory uri) {
        _requireOwned(id);
        ImageStatement storage statement = _statements[id];
        return TokenMetadata.tokenUri(
            TokenMetadata.Token({
                collection: name(),
                description: _description,
                imageBaseUri: imageBaseUri,
                modelId: statement.modelId,
                seed: statement.seed,
                conditions: _conditions[id],
                imageHash: statement.imageHash,
                png: _pictures[id].png()
            })
        );
    }

    /// @notice ERC-7572: the collection's metadata as a data URI.
    /// @return uri data:application/json;base64,…
    function contractURI() external view returns (string memory uri) {
        return TokenMetadata.contractUri(name(), symbol(), _description);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC721, ERC2981, IERC165)
        returns (bool)
    {
        return interfaceId == type(IERC7007).interfaceId
            || interfaceId == type(IERC7007Enumerable).interfaceId
            || interfaceId == ERC4906_INTERFACE_ID || super.supportsInterface(interfaceId);
    }

    function _mintImage(
        address recipient,
        bytes32 modelId,
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes calldata proof
    ) private returns (uint256 id) {
        (IImageVerifier verifier, bool deprecated, uint256 registryId) = _verifierOf(modelId);
        if (deprecated) revert ModelDeprecated(modelId, registryId);
        bytes memory promptBytes = _encodePrompt(modelId, seed, conditions);
        id = uint256(keccak256(promptBytes));
        if (_ownerOf(id) != address(0)) revert AlreadyMinted(id);

        bytes32 imageHash = _verify(
            verifier,
            seed,
            conditions,
            image,
            PlatemarkContext.contextHash(recipient, modelId),
            proof
        );

        _statements[id] = ImageStatement(modelId, seed, imageHash);
        ++totalSupply;
        _mint(recipient, id);
        emit ImageMinted(id, modelId, recipient, seed, imageHash);
        if (conditions.length != 0) {
            _conditions[id] = conditions;
            emit ConditionsGiven(id, conditions);
        }
        emit AigcData(id, promptBytes, image, abi.encodePacked(recipient, proof));
    }

    /// @dev Returns the image hash, or reverts as the verifier does.
    function _verify(
        IImageVerifier verifier,
        uint256 seed,
        bytes calldata conditions,
        bytes calldata image,
        bytes32 context,
        bytes calldata proof
    ) private view returns (bytes32 imageHash) {
        if (conditions.length == 0) {
            return verifier.verifyImage(seed, image, context, proof);
        }
        IConditionedVerifier conditioned = IConditionedVerifier(address(verifier));
        try conditioned.verifyConditionedImage(seed, conditions, image, context, proof) returns (
            bytes32 hash
        ) {
            return hash;
        } catch (bytes memory reason) {
            // A verifier of models without conditions does not have the function, and says nothing.
            if (reason.length == 0) revert VerificationInconclusive();
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// @dev What stands for the conditions is absent where there are none.
    function _encodePrompt(bytes32 modelId, uint256 seed, bytes memory conditions)
        private
        pure
        returns (bytes memory)
    {
        if (conditions.length == 0) return abi.encode(modelId, seed);
        return abi.encode(modelId, seed, conditions);
    }

    /// @dev The parts of a prompt; not valid unless it is the one encoding of them.
    function _readPrompt(bytes calldata prompt_)
        private
        pure
        returns (bytes32 modelId, uint256 seed, bytes calldata conditions, bool valid)
    {
        conditions = prompt_[:0];
        if (prompt_.length < PROMPT_LENGTH) return (modelId, seed, conditions, false);
        modelId = bytes32(prompt_);
        seed = uint256(bytes32(prompt_[32:]));
        if (prompt_.length == PROMPT_LENGTH) return (modelId, seed, conditions, true);
        // Behind them the offset 96 and the length of the conditions, then these and zeros.
        if (prompt_.length <= 128) return (modelId, seed, conditions, false);
        uint256 length = uint256(bytes32(prompt_[96:]));
        if (length == 0 || length > prompt_.length - 128) {
            return (modelId, seed, conditions, false);
        }
        conditions = prompt_[128:128 + length];
        valid = keccak256(prompt_) == keccak256(abi.encode(modelId, seed, conditions));
    }

    function _keepPixels(uint256 id, bytes calldata pixels) private {
        ImageStatement storage statement = _statements[id];
        (IImageVerifier verifier,,) = _verifierOf(statement.modelId);
        address pointer = _pictures[id].keep(verifier, statement.imageHash, pixels);
        emit PixelsKept(id, pointer);
        emit MetadataUpdate(id);
    }

    function _admit(uint256 registryId) private {
        (IImageVerifier verifier, bool deprecated) = REGISTRY.verifierOf(registryId);
        if (address(verifier) == address(0)) revert ModelHasNoVerifier(registryId);
        // The registry has compared this with the commitment's model hash.
        bytes32 modelId = verifier.modelId();
        if (deprecated) revert ModelDeprecated(modelId, registryId);
        if (_registryIds[modelId] != 0) {
            revert ModelAlreadyAdmitted(modelId, _registryIds[modelId]);
        }
        _registryIds[modelId] = registryId;
        emit ModelAdmitted(modelId, registryId, address(verifier));
    }

    function _verifierOf(bytes32 modelId)
        private
        view
        returns (IImageVerifier verifier, bool deprecated, uint256 registryId)
    {
        registryId = registryIdOf(modelId);
        (verifier, deprecated) = REGISTRY.verifierOf(registryId);
    }

    /// @dev Splits ERC-7007's `proof` into the context of its recipient and the proof bytes.
    function _contextOf(bytes32 modelId, bytes calldata proof)
        private
        view
        returns (bytes32 context, bytes calldata bare)
    {
        address recipient = address(bytes20(proof[:ADDRESS_LENGTH]));
        return (PlatemarkContext.contextHash(recipient, modelId), proof[ADDRESS_LENGTH:]);
    }
}
