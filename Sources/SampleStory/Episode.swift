// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A routine being carried out.
package struct Episode: Sendable {
    package var routine: Int
    package var persona: Int
    package var address: Int
    package var agent: Int
    /// Events still to come, and events done.
    package var rest: Int
    package var done = 0
    package var next: Int64
    /// Settles the order of episodes that continue in the same second.
    package var number: Int
    package var hasMistypedPassword = false

    package func comes(before other: Episode) -> Bool {
        next != other.next ? next < other.next : number < other.number
    }
}

/// The episodes under way, the one that continues first on top.
///
/// - Shape: a binary heap. An episode lasts minutes, so its size follows the rate of events, not their number.
package struct EpisodeHeap: Sendable {
    private var episodes: [Episode] = []

    package var first: Episode? { episodes.first }

    package mutating func insert(_ episode: Episode) {
        episodes.append(episode)
        var place = episodes.count - 1
        while place > 0, episodes[place].comes(before: episodes[(place - 1) / 2]) {
            episodes.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Puts the continued first episode back, or drops it when it is over.
    package mutating func replaceFirst(with episode: Episode?) {
        if let episode {
            episodes[0] = episode
        } else {
            episodes.swapAt(0, episodes.count - 1)
            episodes.removeLast()
        }
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < episodes.count && episodes[child].comes(before: episodes[least]) {
                least = child
            }
            if least == place { return }
            episodes.swapAt(place, least)
            place = least
        }
    }
}
