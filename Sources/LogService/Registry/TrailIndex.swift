// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The index of a trail's logstore, whose logs have one field, the event as JSON; source: sls.md section 13.
public enum TrailIndex {
    /// The field that holds an event.
    public static let field = "event"
    /// Every scalar path of an event that can be named in a search and in SQL.
    static let paths = [
        "acsRegion", "additionalEventData.isMFAChecked", "additionalEventData.loginAccount", "additionalEventData.mfaChecked",
        "apiVersion", "errorCode", "errorMessage", "eventCategory", "eventId", "eventName", "eventRW", "eventSource",
        "eventTime", "eventType", "eventVersion", "insightDetails.insightObject", "insightDetails.insightType",
        "insightDetails.sourceIpAddress", "isGlobal", "recipientAccountId", "requestId", "requestParameterJson",
        "resourceName", "resourceType", "serviceName", "sourceIpAddress", "userAgent", "userIdentity.accessKeyId",
        "userIdentity.accountId", "userIdentity.principalId", "userIdentity.sessionContext.attributes.creationDate",
        "userIdentity.sessionContext.attributes.mfaAuthenticated", "userIdentity.type", "userIdentity.userName", "vpcId",
    ]

    public static let configuration: IndexConfiguration = {
        let leaf = IndexConfiguration.Key(kind: .text(.init()), isColumn: true)
        return IndexConfiguration(
            line: .init(),
            fields: [
                field: .json(
                    .init(
                        text: .init(), indexesAll: true, maxDepth: nil, isColumn: true,
                        leaves: Dictionary(uniqueKeysWithValues: paths.map { ($0, leaf) }))),
                "__topic__": .value(.init(kind: .text(.init(delimiters: [])), isColumn: true)),
            ],
            textLimit: 16384)
    }()

    /// The index object that says ``configuration``.
    public static let json: Data = {
        let tokens =
            #"[","," ","'","\"",";","=","(",")","[","]","{","}","?","@","&","<",">","/",":","\n","\t","\r"]"#
        let leaves = paths.map { "\"\($0)\":{\"type\":\"text\",\"doc_value\":true}" }.joined(separator: ",")
        return Data(
            """
            {"line":{"token":\(tokens),"caseSensitive":false,"chn":false},\
            "keys":{"\(field)":{"type":"json","token":\(tokens),"caseSensitive":false,"chn":false,"doc_value":true,\
            "index_all":true,"max_depth":-1,"json_keys":{\(leaves)}},\
            "__topic__":{"type":"text","token":[],"caseSensitive":false,"chn":false,"doc_value":true}},\
            "max_text_len":16384}
            """.utf8)
    }()
}
