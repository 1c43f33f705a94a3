// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Questions that give an overview of a trail's logstore: those of its dashboard, which are offered by themselves as well;
/// source: sls.md section 14.
public enum TrailQuery {
    /// One row: `pv`.
    public static let events = "* | select count(1) as pv"
    /// One row: `uv`.
    public static let actors = #"* | select approx_distinct("event.userIdentity.principalId") as uv"#
    /// One row: `n`.
    public static let services = #"* | select approx_distinct("event.serviceName") as n"#
    /// Service `s` and events `c` of it, most first.
    public static let sources = #"* | select "event.serviceName" as s, count(1) as c group by s order by c desc limit 20"#
    /// Hour `t`, events `pv` and actors `uv` in it.
    public static let trend = #"""
        * | select date_format(date_trunc('hour', __time__), '%m-%d %H:%i') as t, count(1) as pv, \#
        approx_distinct("event.userIdentity.principalId") as uv group by t order by t limit 1000
        """#
}
