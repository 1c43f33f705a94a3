// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

typealias SQLLambda = ([SQLValue]) throws -> SQLValue

/// One way of calling a scalar function.
struct SQLFunction: Sendable {
    enum Body: Sendable {
        case plain(@Sendable ([SQLValue], SQLRun) throws -> SQLValue)
        /// Lambdas come apart from the other arguments, in order.
        case withLambdas(@Sendable ([SQLValue], [SQLLambda], SQLRun) throws -> SQLValue)
    }

    var name: String
    var parameters: [SQLPattern]
    /// The last parameter may come any number of times, at least once.
    var isVariadic = false
    var result: SQLPattern
    /// NULL for any argument that is NULL.
    var isStrict = true
    var isDeterministic = true
    var body: Body

    init(
        _ name: String, _ parameters: [SQLPattern], _ result: SQLPattern, isVariadic: Bool = false, isStrict: Bool = true,
        isDeterministic: Bool = true, _ body: @escaping @Sendable ([SQLValue], SQLRun) throws -> SQLValue
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.isVariadic = isVariadic
        self.isStrict = isStrict
        self.isDeterministic = isDeterministic
        self.body = .plain(body)
    }

    init(
        _ name: String, _ parameters: [SQLPattern], _ result: SQLPattern,
        lambdas: @escaping @Sendable ([SQLValue], [SQLLambda], SQLRun) throws -> SQLValue
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        body = .withLambdas(lambdas)
    }

    var takesLambdas: Bool {
        if case .withLambdas = body { true } else { false }
    }
}

/// Every scalar function by name, with its ways of being called in order of preference.
enum SQLFunctionLibrary {
    static let functions: [String: [SQLFunction]] = {
        let all = [
            textFunctions, regularExpressionFunctions, arrayFunctions, lambdaFunctions, mapFunctions, jsonFunctions,
            timeFunctions,
            mathFunctions, addressFunctions, urlFunctions,
        ]
        var byName = Dictionary(grouping: all.joined(), by: \.name)
        for (alias, name) in aliases { byName[alias] = byName[name] }
        return byName
    }()

    private static let aliases = [
        "substring": "substr", "pow": "power", "ceiling": "ceil", "char_length": "length", "character_length": "length",
        "dow": "day_of_week", "doy": "day_of_year", "day_of_month": "day", "week_of_year": "week", "yow": "year_of_week",
        "rand": "random", "current_timestamp": "now", "localtimestamp": "now",
    ]
}
