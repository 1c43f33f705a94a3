// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A query whose names and types are known, ready to run over the logs that its search part selects.
///
/// Every mistake in it is a `LogServiceError` that names line and column; source: sls.md sections 5 and 11.
package struct SQLQuery: Sendable {
    package let columns: [String]
    package let types: [String]
    /// Places of the source's columns that are read.
    package let readColumns: [Int]
    /// It has no LIMIT, so that of 100 rows holds.
    package let hasImplicitLimit: Bool

    private let text: String
    private let offset: Int
    private let source: [SQLColumn]
    private let options: SQLOptions
    private let plan: SQLPlan
    private let outputs: [SQLType]

    package static let implicitLimit: Int64 = 100

    /// - Parameters:
    ///   - text: The whole query.
    ///   - offset: Byte of it where the SQL begins, after the first pipe.
    package init(_ text: String, sqlAt offset: Int = 0, columns source: [SQLColumn], options: SQLOptions) throws(LogServiceError)
    {
        self.text = text
        self.offset = max(0, min(offset, text.utf8.count))
        self.source = source
        self.options = options
        do {
            var syntax = try SQLParser.query(String(decoding: text.utf8.dropFirst(self.offset), as: UTF8.self))
            hasImplicitLimit = syntax.limit == nil
            if hasImplicitLimit { syntax.limit = SQLQuery.implicitLimit }
            var analyzer = SQLAnalyzer(source: source, options: options)
            let planned = try analyzer.query(syntax, parent: nil, isTop: true)
            plan = planned.plan.pruned(to: Set(planned.columns.indices)).grouped(columns: source, timeZone: options.timeZone)
            columns = planned.columns.map(\.name)
            outputs = planned.columns.map(\.type)
            types = outputs.map(\.name)
            var read = Set<Int>()
            plan.collectReads(into: &read)
            readColumns = read.sorted()
        } catch let failure as SQLFailure {
            throw failure.error(in: text, offset: self.offset)
        } catch let error as LogServiceError {
            throw error
        } catch {
            throw .parameter("\(error)")
        }
    }

    /// - Parameters:
    ///   - source: Has the columns the query was made for.
    ///   - isCancelled: Asked now and then; the query then ends with a `CancellationError`.
    /// - Throws: `LogServiceError` for what the data do not allow and for exceeded limits; what the source throws.
    package func run(
        on source: any ColumnSource, limits: SQLLimits = SQLLimits(), isCancelled: @escaping () -> Bool = { false }
    ) throws -> SQLResult {
        guard source.columns == self.source else { throw SQLScanFault.wrongShape }
        let run = SQLRun(source: source, options: options, limits: limits, isCancelled: isCancelled)
        do {
            var result = SQLResult(columns: columns, types: types)
            let stage = try SQLStages(run: run).stage(plan, outer: nil)
            var bytes = 0
            while let batch = try stage.next() {
                if result.rows.count + batch.count > limits.resultRows {
                    throw SQLFailure.limit("the result has more than \(limits.resultRows) rows")
                }
                for row in 0..<batch.count {
                    try run.tick()
                    let texts = zip(batch.columns, outputs).map { run.rendering.text($0.value(row), $1) }
                    bytes += texts.reduce(32) { $0 + $1.utf8.count + 16 }
                    if bytes > limits.resultBytes {
                        throw SQLFailure.limit("the result is larger than \(limits.resultBytes >> 20) MiB")
                    }
                    result.rows.append(texts)
                }
            }
            result.scannedRows = run.scannedRows
            return result
        } catch let failure as SQLFailure {
            if failure.kind == .cancelled { throw CancellationError() }
            throw failure.error(in: text, offset: offset)
        }
    }
}

extension SQLPlan {
    /// Columns of the source that are read anywhere.
    fileprivate func collectReads(into columns: inout Set<Int>) {
        if case .scan(let scan) = self { columns.formUnion(scan.isWanted.indices.filter { scan.isWanted[$0] }) }
        for input in inputs { input.collectReads(into: &columns) }
        for expression in expressions { expression.collectReads(into: &columns) }
    }
}

extension SQLExpression {
    fileprivate func collectReads(into columns: inout Set<Int>) {
        if case .subquery(let subquery) = kind { subquery.plan.collectReads(into: &columns) }
        for child in children { child.collectReads(into: &columns) }
    }
}
