// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

// MerkleLog: does this event belong to that log, and is that log a continuation of this one?
//
// The RFC 9162 tree, tiles, checkpoints and proofs; pure, no input or output of its own. Hashes come in through a
// reader closure and results go out as values, so the server and an offline verifier run the same code.
//
// - `MerkleTree` and `CompactRange`: roots and proofs, and a log that grows.
// - `TilePath`: where a run of hashes or entries is published (C2SP tlog-tiles).
// - `Checkpoint`, `SignedNote`: who signed how far (C2SP tlog-checkpoint, signed-note).
// - `TransparencyProof`: a file that proves one entry without the server (C2SP tlog-proof).
//
// The smallest useful call:
//
//     let proof = try TransparencyProof(parsing: fileBytes)
//     let verdict = proof.verify(leafHash: leaf, verifier: try NoteVerifier(verifierKey: key))
