// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A made-up week of a small company in which an access key leaks, told in audit events.
///
/// The same arguments give the same bytes for ever, so a demonstration can name the events it will find and a
/// benchmark can be repeated. Nothing in it is real: addresses come from the documentation ranges (RFC 5737) or
/// private networks, and key ids carry the word EXAMPLE.
///
/// - Shape: one JSON object a line, in order of `eventTime`, within the seven days before `end`. The key leaks on
///   the sixth day and is found on the next morning.
/// - Units: `end` is in seconds since 1970. A line has about 1,200 bytes.
public struct SampleStory: Sendable {
    /// With fewer events the story would have no ordinary week around it.
    public static let minimumEventCount = 500

    /// As asked for, or `minimumEventCount` if that is more.
    public let eventCount: Int
    public let seed: UInt64
    public let end: Int64
    public let cast: Cast

    private let company: Company
    private let plot: Plot

    /// - Parameter accountId: the account all events belong to; digits, as it is not escaped.
    /// - Parameter region: the company's home region, such as `cn-hangzhou`; not escaped either.
    public init(seed: UInt64, eventCount: Int, end: Int64, accountId: String, region: String) {
        self.seed = seed
        self.end = end
        self.eventCount = max(eventCount, SampleStory.minimumEventCount)
        company = Company(seed: seed, account: accountId, region: region, eventCount: self.eventCount)
        plot = Plot(seed: seed, company: company, end: end)
        cast = Cast(company: company, plot: plot)
    }

    /// Hands over the events in chunks of some sixty-four kilobytes, each of whole lines.
    ///
    /// A chunk is valid only during the call, and memory does not grow with the number of events.
    public func writeLines(to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        let catalog = Catalog()
        var week = NormalWeek(seed: seed, planned: eventCount - plot.moments.count, end: end, catalog: catalog)
        var drama = plot.beats(catalog: catalog)[...]
        var writer = EventWriter(seed: seed, company: company, catalog: catalog, plot: plot)
        while true {
            if let moment = drama.first, week.nextTime.map({ moment.time <= $0 }) ?? true {
                writer.write(moment)
                drama.removeFirst()
            } else if let beat = week.next() {
                writer.write(beat)
            } else {
                break
            }
            if writer.output.count >= SampleStory.chunkSize {
                try writer.output.withUnsafeBytes(sink)
                writer.clearOutput()
            }
        }
        if !writer.output.isEmpty {
            try writer.output.withUnsafeBytes(sink)
        }
    }

    private static let chunkSize = 64 * 1024
}

extension Plot {
    fileprivate func beats(catalog: Catalog) -> [Beat] {
        moments.enumerated().map { number, moment in
            Beat(
                time: moment.time, operation: catalog.index(of: moment.operation),
                persona: Persona.all.firstIndex { $0.name == moment.persona }!, outcome: moment.outcome,
                address: moment.address, agent: 0, detail: .moment(number))
        }
    }
}
