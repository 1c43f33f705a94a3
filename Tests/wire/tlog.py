# An independent reading of the log: notes, checkpoints, tiles and proofs after RFC 9162 and C2SP, with nothing of Cairn's.
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes):
    """By the definition, level by level."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def verify_inclusion(leaf, index, size, path, expected):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == expected


def verify_consistency(first, second, path, first_root, second_root):
    """RFC 9162 section 2.1.4.2."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path
    path = list(path)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


class VerifierKey:
    def __init__(self, text):
        self.name, key_id, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded)
        assert data[0] == 1 and len(data) == 33, "not an Ed25519 key"
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        assert self.key_id.hex() == key_id
        self.key = Ed25519PublicKey.from_public_bytes(data[1:])

    def open(self, note):
        """The note's text; raises if this key has not signed it."""
        text, _, signatures = note.rpartition("\n\n")
        text += "\n"
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            assert dash == "\u2014"
            data = base64.b64decode(encoded)
            if name == self.name and data[:4] == self.key_id:
                self.key.verify(data[4:], text.encode())
                return text
        raise AssertionError("no signature of this key")


class Checkpoint:
    def __init__(self, note, key):
        lines = key.open(note).split("\n")
        self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
        assert lines[1] == str(self.size) and len(self.root) == 32 and self.origin == key.name


def tile_path(level, index, width=256):
    text = f"{index:03d}"
    while len(text) % 3:
        text = "0" + text
    groups = [text[i:i + 3] for i in range(0, len(text), 3)]
    path = "/".join(["x" + g for g in groups[:-1]] + [groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")


def entries(fetch, size):
    """The 32-byte entries of a log, from its entry bundles."""
    out = []
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        data = fetch(tile_path("entries", index, width))
        assert len(data) == width * 34
        for i in range(width):
            assert data[i * 34:i * 34 + 2] == b"\x00\x20"
            out.append(data[i * 34 + 2:i * 34 + 34])
    return out


def level_hashes(fetch, level, size):
    """All hashes of one tile level."""
    count, out = size >> (8 * level), []
    for index in range((count + 255) // 256):
        width = min(256, count - index * 256)
        data = fetch(tile_path(level, index, width))
        assert len(data) == 32 * width
        out += [data[i * 32:i * 32 + 32] for i in range(width)]
    return out


class Proof:
    """A .tlog-proof file."""

    def __init__(self, text):
        head, _, self.checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        assert lines.pop(0) == "c2sp.org/tlog-proof@v1"
        self.extra = base64.b64decode(lines.pop(0)[6:]) if lines[0].startswith("extra ") else None
        assert lines[0].startswith("index ")
        self.index = int(lines.pop(0)[6:])
        self.path = [base64.b64decode(line) for line in lines]
