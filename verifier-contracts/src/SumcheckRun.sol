// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title One verification
/// @notice What the steps of a verification hand to each other: the shape of the key, where the parts of
/// the proof are, challenges and claims. Names as in `docs/protocol.md`.
/// @dev Places named `…At` are in calldata; the other places are in memory, as words.
struct Run {
    // Shape, from the key.
    uint256 keyAt;
    uint256 n;
    bool committed;
    uint256 firstColumns;
    uint256 secondColumns;
    uint256 keyColumns;
    uint256 limbs;
    uint256 limbBits;
    uint256 activationBits;
    uint256 copyBits;
    uint256 tableBits;
    uint256 phaseOne;
    uint256 phaseTwo;
    uint256 outputBits;
    uint256 terms;
    uint256 lookups;
    uint256 columns;
    // Statement.
    uint256 seed;
    // Conditions: in the key (0 where there are none), and in the statement.
    uint256 conditionKinds;
    uint256 conditionsAt;
    bytes32 conditionsHash;
    // Parts of the proof.
    uint256 proofAt;
    uint256 secondAt;
    uint256 sumAt;
    uint256 phaseOneAt;
    uint256 valuesAt;
    uint256 phaseTwoAt;
    uint256 lookupsAt;
    uint256 inversesAt;
    uint256 mergeAt;
    uint256 columnsAt;
    uint256 openingAt;
    uint256 evaluationsAt;
    uint256 proofEnd;
    // Challenges. `slots` starts with r; the end of s and of ρ is where their last entries end.
    uint256 slots;
    uint256 a;
    uint256 b;
    uint256 sEnd;
    uint256 rho;
    uint256 rEnd;
    uint256 tau;
    uint256 beta;
    uint256 alpha;
    uint256 gamma;
    uint256 z;
    uint256 lambda;
    uint256 eta;
    uint256 nu;
    uint256 mu;
    uint256 chi;
    uint256 theta;
    uint256 zeta;
    uint256 delta;
    uint256 w;
    // Last claims of the rounds; of the merging rounds, `e4` is what the first claim 0 would give.
    uint256 e1;
    uint256 e2;
    uint256 e3;
    uint256 e4;
    // eqR[k] = eq of the last k entries of r and ρ; padA[k] = Π_{i ≥ k} (1 − a_i).
    uint256 eqR;
    uint256 padA;
    uint256 padB;
    // eq of the last entries of s and ρ, as many as a region or a column has.
    uint256 eqActivation;
    uint256 eqTable;
    // Lines of ρ and their end, and the prefixes at ρ and at s that the key lists.
    uint256 rhoLines;
    uint256 rhoLinesEnd;
    uint256 prefixes;
    uint256 sPrefixes;
    // Column values by region (§7.3), see `SumcheckClaims.regions`.
    uint256 activationChunks;
    uint256 quotient;
    uint256 output;
    uint256 firstLimb;
    uint256 firstInverse;
    uint256 tableChunks;
    uint256 multiplicity;
    uint256 tableInverse;
    uint256 tableOutput;
    // Where the values of each space are, by its number.
    uint256 spaces;
    // Sums of §7.1: Σ weights at ρ · columns, and Σ values.
    uint256 weighted;
    uint256 value;
}
