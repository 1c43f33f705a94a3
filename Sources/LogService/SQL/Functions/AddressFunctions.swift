// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let addressFunctions: [SQLFunction] =
        [
            SQLFunction("ip_to_domain", [.varchar], .varchar) { arguments, _ in
                SQLValue(NetworkAddress(arguments[0].string).map { $0.isPrivate ? "intranet" : "internet" })
            },
            SQLFunction("ip_prefix", [.varchar, .bigint], .varchar) { arguments, _ in
                let address = try address(arguments[0])
                guard arguments[1].int >= 0, arguments[1].int <= Int64(address.bytes.count * 8) else {
                    throw SQLFailure.data("an address has no \(arguments[1].int) bits")
                }
                let prefix = address.prefix(Int(arguments[1].int))
                return .text("\(prefix.text)/\(prefix.bits)")
            },
            SQLFunction("is_subnet_of", [.varchar, .varchar], .boolean) { arguments, _ in
                .boolean(try address(arguments[0]).contains(try address(arguments[1])))
            },
            SQLFunction("is_prefix_subnet_of", [.varchar, .varchar], .boolean) { arguments, _ in
                .boolean(try address(arguments[0]).contains(try address(arguments[1])))
            },
            SQLFunction("ip_subnet_min", [.varchar], .varchar) { arguments, _ in .text(try address(arguments[0]).end(false).text)
            },
            SQLFunction("ip_subnet_max", [.varchar], .varchar) { arguments, _ in .text(try address(arguments[0]).end(true).text)
            },
            SQLFunction("ip_subnet_range", [.varchar], .texts) { arguments, _ in
                let address = try address(arguments[0])
                return try .array(of: [.text(address.end(false).text), .text(address.end(true).text)])
            },
        ]
        // Where an address is takes a database that is not here; of private ones it is known that they are nowhere.
        + ["ip_to_country", "ip_to_province", "ip_to_city", "ip_to_provider"].flatMap { name in
            [
                SQLFunction(name, [.varchar], .varchar) { arguments, _ in place(arguments[0].string, "内网IP") },
                SQLFunction(name, [.varchar, .varchar], .varchar) { arguments, _ in
                    place(arguments[0].string, arguments[1].string.lowercased() == "en" ? "intranet" : "内网IP")
                },
            ]
        }
        + ["ip_to_country_code", "ip_to_geo", "ip_to_city_geo"].map { name in
            SQLFunction(name, [.varchar], .varchar) { _, _ in .null }
        }
        // Nothing is known to be bad.
        + ["security_check_ip", "security_check_domain", "security_check_url"].map { name in
            SQLFunction(name, [.varchar], .bigint) { _, _ in .integer(0) }
        }

    private static func place(_ text: String, _ name: String) -> SQLValue {
        NetworkAddress(text)?.isPrivate == true ? .text(name) : .null
    }

    private static func address(_ value: SQLValue) throws -> NetworkAddress {
        guard let address = NetworkAddress(value.string) else {
            throw SQLFailure.data("'\(value.string.prefix(100))' is not an IP address")
        }
        return address
    }
}
