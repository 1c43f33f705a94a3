// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A routine being carried out.
struct Episode: Sendable {
    var routine: Int
    var persona: Int
    var address: Int
    var agent: Int
    /// Events still to come, and events done.
    var rest: Int
    var done = 0
    var next: Int64
    /// Settles the order of episodes that continue in the same second.
    var number: Int
    var hasMistypedPassword = false

    func comes(before other: Episode) -> Bool {
        next != other.next ? next < other.next : number < other.number
    }
}

/// The episodes under way, the one that continues first on top.
///
/// - Shape: a binary heap. An episode lasts minutes, so its size follows the rate of events, not their number.
struct EpisodeHeap: Sendable {
    private var episodes: [Episode] = []

    var first: Episode? { episodes.first }

    mutating func insert(_ episode: Episode) {
        episodes.append(episode)
        var place = episodes.count - 1
        while place > 0, episodes[place].comes(before: episodes[(place - 1) / 2]) {
            episodes.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Puts the continued first episode back, or drops it when it is over.
    mutating func replaceFirst(with episode: Episode?) {
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
