// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The memory that one record after another is worked on in.
struct Workspace: ~Copyable {
    var tape = JSONTape(maximumDepth: EventParser.maximumDepth)
    var scratch = ScratchPad()
    var slots = RecordSlots()
    var draft = EventDraft()
    let context: ContextTexts

    init(_ context: ReceivingContext) {
        self.context = ContextTexts(context)
    }
}

/// A `ReceivingContext` as bytes.
struct ContextTexts: ~Copyable {
    let accountId: Text
    let region: Text
    let nowMilliseconds: Int64

    init(_ context: ReceivingContext) {
        accountId = Self.copy(context.accountId)
        region = Self.copy(context.region)
        nowMilliseconds = context.nowMilliseconds
    }

    deinit {
        accountId.deallocate()
        region.deallocate()
    }

    private static func copy(_ text: String) -> Text {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        bytes.copyBytes(from: text.utf8)
        return Text(bytes)
    }
}

/// The part of the arena that can be written now.
struct ArenaWindow {
    /// Where the arena's offset 0 is.
    let base: UnsafeMutablePointer<UInt8>
    /// The arena offset behind the window.
    let limit: Int

    /// The bytes from `offset` on.
    func rest(from offset: Int) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(start: base + offset, count: limit - offset)
    }

    func bytes(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: count)
    }
}
