// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// Each expression and its value, worked out by hand after Presto's documentation.
@Suite struct `A function of SQL` {
    @Test(arguments: all)
    func `gives what is documented`(_ expression: String, _ value: String) throws {
        #expect(try SQLRows.value(expression) == value, "\(expression)")
    }

    static let all: [(String, String)] = Array(
        [texts, expressions, collections, json, times, numbers, addresses, logic].joined())

    static let texts: [(String, String)] = [
        ("concat('a', 'b', 'ä')", "abä"), ("'a' || 'b' || 'c'", "abc"), ("concat('a', NULL)", "null"),
        ("concat_ws(',', 'a', NULL, 'b')", "a,b"), ("length('aä中')", "3"), ("length('')", "0"), ("lower('AbÄ')", "abä"),
        ("upper('abä')", "ABÄ"), ("trim('  a b ')", "a b"), ("ltrim('  a ')", "a "), ("rtrim('  a ')", "  a"),
        ("substr('abcdef', 2)", "bcdef"), ("substr('abcdef', 2, 3)", "bcd"), ("substr('abcdef', -2)", "ef"),
        ("substr('abcdef', -3, 2)", "de"), ("substr('abc', 0)", ""), ("substr('abc', 4)", ""), ("substr('abc', -4)", ""),
        ("substring('aä中b', 2, 2)", "ä中"), ("strpos('abcabc', 'c')", "3"), ("strpos('aä中b', 'b')", "4"),
        ("strpos('abc', 'x')", "0"), ("strpos('abc', '')", "1"), ("strpos('abcabc', 'c', 2)", "6"),
        ("strpos('abcabc', 'c', 3)", "0"), ("position('b' IN 'abc')", "2"), ("replace('banana', 'an')", "ba"),
        ("replace('banana', 'an', 'X')", "bXXa"), ("replace('ab', '', '-')", "-a-b-"), ("reverse('aä中')", "中äa"),
        ("lpad('ab', 5, 'xy')", "xyxab"), ("rpad('ab', 5, 'xy')", "abxyx"), ("lpad('abc', 2, 'x')", "ab"), ("chr(228)", "ä"),
        ("codepoint('ä')", "228"), ("starts_with('abc', 'ab')", "true"), ("ends_with('abc', 'ab')", "false"),
        ("split('a;b;;c', ';')", #"["a","b","","c"]"#), ("split('a;b;c', ';', 2)", #"["a","b;c"]"#), ("split('', ';')", #"[""]"#),
        ("split('abc', ';')", #"["abc"]"#), ("split_part('a;b;c', ';', 2)", "b"), ("split_part('a;b;c', ';', 4)", "null"),
        ("split_to_map('a=1&b=2', '&', '=')", #"{"a":"1","b":"2"}"#), ("levenshtein_distance('kitten', 'sitting')", "3"),
        ("translate('abcd', 'abc', 'xy')", "xyd"), ("'abc' LIKE 'a%'", "true"), ("'ABC' LIKE 'a%'", "false"),
        ("'abc' LIKE '_b_'", "true"), ("'a中c' LIKE 'a_c'", "true"), ("'abc' NOT LIKE '%b%'", "false"), ("'' LIKE '%'", "true"),
        ("'a%c' LIKE 'a#%c' ESCAPE '#'", "true"), ("'abc' LIKE 'a#%c' ESCAPE '#'", "false"), ("'aXbXc' LIKE '%X%X%'", "true"),
        ("'aab' LIKE '%ab'", "true"), ("NULL LIKE 'a'", "null"), ("'it''s'", "it's"),
    ]

    static let expressions: [(String, String)] = [
        ("regexp_like('1a 2b', '\\d+b')", "true"), ("regexp_like('abc', '^b')", "false"), ("regexp_like('ABC', '(?i)b')", "true"),
        ("regexp_extract('1a 2b 14m', '\\d+')", "1"), ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a"),
        ("regexp_extract('abc', '\\d')", "null"), ("regexp_extract_all('1a 2b 14m', '\\d+')", #"["1","2","14"]"#),
        ("regexp_extract_all('1a 2b 14m', '(\\d+)([a-z]+)', 2)", #"["a","b","m"]"#),
        ("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m"),
        ("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"), ("regexp_replace('abc', '', '-')", "-a-b-c-"),
        ("regexp_replace('ä中', '中', '${0}!')", "ä中!"), ("regexp_replace('a.b', '\\.', '\\$')", "a$b"),
        ("regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')", #"["1","2","14",""]"#), ("regexp_count('1a 2b 14m', '\\d+')", "3"),
        ("regexp_like(NULL, 'a')", "null"),
    ]

    static let collections: [(String, String)] = [
        ("array['a','b'][2]", "b"), ("array[1,2,3]", "[1,2,3]"), ("array[]", "[]"), ("array[1, NULL, 2.5]", "[1.0,null,2.5]"),
        ("array_position(array['x','y'], 'y')", "2"), ("array_position(array['x','y'], 'z')", "0"),
        ("cardinality(array[1,2,3])", "3"), ("contains(array[1,2], 2)", "true"), ("contains(array[1,NULL], 2)", "null"),
        ("array_join(array['a',NULL,'b'], ',')", "a,b"), ("array_join(array['a',NULL], ',', '-')", "a,-"),
        ("array_join(array[1,2], '/')", "1/2"), ("element_at(array[1,2,3], -1)", "3"), ("element_at(array[1], 2)", "null"),
        ("array_distinct(array[1,2,1,NULL,NULL])", "[1,2,null]"), ("array_sort(array[3,1,NULL,2])", "[1,2,3,null]"),
        ("array_sort(array[3,1,2], (x, y) -> y - x)", "[3,2,1]"), ("array_max(array[1,3,2])", "3"),
        ("array_min(array[2,1])", "1"),
        ("array_max(array[1,NULL])", "null"), ("array_union(array[1,2], array[2,3])", "[1,2,3]"),
        ("array_intersect(array[1,2,2], array[2,3])", "[2]"), ("array_except(array[1,2], array[2])", "[1]"),
        ("array_remove(array[1,2,1], 1)", "[2]"), ("arrays_overlap(array[1,2], array[2,3])", "true"),
        ("array_sum(array[1,2])", "3"),
        ("array_average(array[1.0,2.0])", "1.5"), ("reverse(array[1,2])", "[2,1]"), ("slice(array[1,2,3,4], 2, 2)", "[2,3]"),
        ("slice(array[1,2,3,4], -2, 2)", "[3,4]"), ("concat(array[1], array[2], array[3])", "[1,2,3]"),
        ("array[1] || array[2]", "[1,2]"), ("flatten(array[array[1], array[2,3]])", "[1,2,3]"),
        ("repeat('a', 3)", #"["a","a","a"]"#),
        ("sequence(1, 4)", "[1,2,3,4]"),
        ("sequence(9223372036854775806, 9223372036854775807)", "[9223372036854775806,9223372036854775807]"),
        ("sequence(5, 1, -2)", "[5,3,1]"), ("filter(array[1,2,3,4], x -> x % 2 = 0)", "[2,4]"),
        ("transform(array[1,2], x -> x + 0.5)", "[1.5,2.5]"), ("any_match(array[1,2], x -> x > 1)", "true"),
        ("all_match(array[1,2], x -> x > 1)", "false"), ("none_match(array[1,2], x -> x > 5)", "true"),
        ("reduce(array[5,20,50], 0, (s, x) -> s + x, s -> s)", "75"),
        ("reduce(array[5,6], 0.0, (s, x) -> s + x, s -> s / 2)", "5.5"),
        ("zip_with(array[1,2], array['a','b'], (x, y) -> concat(cast(x as varchar), y))", #"["1a","2b"]"#),
        ("filter(array[1,2,3], x -> any_match(array[2,3], y -> y = x))", "[2,3]"), ("map()", "{}"),
        ("map(array['a','b'], array[1,2])", #"{"a":1,"b":2}"#), ("map(array['a'], array[1])['a']", "1"),
        ("map_keys(map(array['a','b'], array[1,2]))", #"["a","b"]"#), ("map_values(map(array['a','b'], array[1,2]))", "[1,2]"),
        ("element_at(map(array['a'], array[1]), 'z')", "null"), ("cardinality(map(array['a'], array[1]))", "1"),
        ("map_concat(map(array['a'], array[1]), map(array['a','b'], array[2,3]))", #"{"a":2,"b":3}"#),
        ("map_filter(map(array['a','b'], array[1,2]), (k, v) -> v > 1)", #"{"b":2}"#),
        ("transform_values(map(array['a'], array[1]), (k, v) -> v + 1)", #"{"a":2}"#),
        ("transform_keys(map(array['a'], array[1]), (k, v) -> k || 'x')", #"{"ax":1}"#),
    ]

    static let json: [(String, String)] = [
        (#"json_extract('{"a":{"b":[1,{"c":"q"}]}}', '$.a.b[1].c')"#, #""q""#),
        (#"json_extract('{"a": {"b" : 1}}', '$.a')"#, #"{"b":1}"#), (#"json_extract('{"a":1}', '$.z')"#, "null"),
        (#"json_extract('{"a.b":1}', '$["a.b"]')"#, "1"), (#"json_extract_scalar('{"a":"x\ny"}', '$.a')"#, "x\ny"),
        (#"json_extract_scalar('{"a":[1]}', '$.a')"#, "null"), (#"json_extract_scalar('{"a":true}', '$.a')"#, "true"),
        (#"json_extract_scalar('{"a":1.50}', '$.a')"#, "1.50"), (#"json_extract_scalar('broken', '$.a')"#, "null"),
        (#"json_extract('{"a":"x"}', concat('$.', 'a'))"#, #""x""#), (#"cast(json_extract('{"a":"x"}', '$.a') AS varchar)"#, "x"),
        (#"cast(json_extract('{"a":91}', '$.a') AS bigint)"#, "91"),
        (#"cast(json_extract('{"a":"91"}', '$.a') AS bigint)"#, "91"),
        (#"cast(json_extract('{"a":true}', '$.a') AS boolean)"#, "true"),
        (#"cast(json_extract('{"a":null}', '$.a') AS bigint)"#, "null"),
        (#"cast(json_parse('[1,2]') AS array(bigint))"#, "[1,2]"),
        (#"cast(json_parse('{"a":1,"b":2}') AS map(varchar, bigint))"#, #"{"a":1,"b":2}"#),
        ("cast(array[1,2] AS json)", "[1,2]"), ("cast('a\"b' AS json)", #""a\"b""#),
        ("json_parse(' [ 1 , \"a b\" ] ')", #"[1,"a b"]"#),
        ("json_format(json_parse('{\"a\": 1}'))", #"{"a":1}"#), ("json_array_length('[1,2,3]')", "3"),
        ("json_array_get('[1,2,3]', -1)", "3"),
        ("json_array_get('[1,2]', 5)", "null"), ("json_array_contains('[1,\"a\"]', 'a')", "true"),
        ("json_array_contains('[1]', 1)", "true"),
        ("json_array_contains('[1]', '1')", "false"), (#"json_size('{"x":{"a":1,"b":2}}', '$.x')"#, "2"),
        (#"json_size('{"x":5}', '$.x')"#, "0"),
        ("is_json_scalar('1')", "true"), ("is_json_scalar('[1]')", "false"),
        (#"json_extract_scalar('{"a":"\u4e2d\ud83d\ude00"}', '$.a')"#, "中😀"),
    ]

    /// In UTC+8. 1700000000 is Wednesday 2023-11-15 06:13:20 there, and day 319 of the year.
    static let times: [(String, String)] = [
        ("from_unixtime(1700000000)", "2023-11-15 06:13:20.000"), ("from_unixtime(1700000000.25)", "2023-11-15 06:13:20.250"),
        ("from_unixtime(1700000000, 'UTC')", "2023-11-14 22:13:20.000"),
        ("from_unixtime(0) AT TIME ZONE '+01:00'", "1970-01-01 01:00:00.000"),
        ("to_unixtime(from_unixtime(1700000000))", "1700000000.0"), ("now()", "2023-11-15 06:15:23.456"),
        ("current_date", "2023-11-15"),
        ("current_timestamp", "2023-11-15 06:15:23.456"), ("current_timezone()", "+08:00"),
        ("date_format(1700000000, '%Y-%m-%d %H:%i:%S')", "2023-11-15 06:13:20"),
        (
            "date_format('2024-02-29 15:04:05', '%a %b %c %D %e %h %I %j %k %l %M %p %r %T %W %w %y %%')",
            "Thu Feb 2 29th 29 03 03 060 15 3 February PM 03:04:05 PM 15:04:05 Thursday 4 24 %"
        ),
        ("date_format(timestamp '2021-01-03 00:00:00', '%x-%v %s %f')", "2020-53 00 000000"),
        ("date_parse('2023-11-15 06:13:20', '%Y-%m-%d %H:%i:%s')", "2023-11-15 06:13:20.000"),
        ("date_parse('15 Nov 2023 01:02 PM', '%d %b %Y %h:%i %p')", "2023-11-15 13:02:00.000"),
        ("date_trunc('second', from_unixtime(1700000000.9))", "2023-11-15 06:13:20.000"),
        ("date_trunc('minute', 1700000000)", "2023-11-15 06:13:00.000"),
        ("date_trunc('hour', 1700000000)", "2023-11-15 06:00:00.000"),
        ("date_trunc('day', 1700000000)", "2023-11-15 00:00:00.000"),
        ("date_trunc('week', 1700000000)", "2023-11-13 00:00:00.000"),
        ("date_trunc('month', 1700000000)", "2023-11-01 00:00:00.000"),
        ("date_trunc('quarter', 1700000000)", "2023-10-01 00:00:00.000"),
        ("date_trunc('year', '2023-11-15 06:13:20')", "2023-01-01 00:00:00.000"),
        ("date_trunc('month', date '2023-11-15')", "2023-11-01"),
        ("date_add('day', 20, timestamp '2023-11-15 06:13:20')", "2023-12-05 06:13:20.000"),
        ("date_add('month', 1, timestamp '2024-01-31 00:00:00')", "2024-02-29 00:00:00.000"),
        ("date_add('year', -1, date '2024-02-29')", "2023-02-28"),
        ("date_add('hour', -7, 1700000000)", "2023-11-14 23:13:20.000"), ("date_diff('hour', 0, 7200)", "2"),
        ("date_diff('day', timestamp '2024-02-28 12:00:00', timestamp '2024-03-01 11:00:00')", "1"),
        ("date_diff('month', date '2024-01-31', date '2024-02-29')", "1"),
        ("date_diff('month', date '2024-01-31', date '2024-03-30')", "1"),
        ("date_diff('year', date '2025-01-01', date '2024-01-01')", "-1"),
        ("timestamp '2024-01-31 00:00:00' + interval '1' month", "2024-02-29 00:00:00.000"),
        ("date '2024-03-01' - interval '1' day", "2024-02-29"),
        ("now() - interval '2' hour", "2023-11-15 04:15:23.456"),
        ("timestamp '2024-01-02 00:00:00' - timestamp '2024-01-01 12:00:00'", "0 12:00:00.000"),
        ("year(1700000000)", "2023"), ("quarter(1700000000)", "4"), ("month(1700000000)", "11"), ("week(1700000000)", "46"),
        ("day(1700000000)", "15"),
        ("day_of_week(1700000000)", "3"), ("doy(1700000000)", "319"), ("hour(1700000000)", "6"), ("minute(1700000000)", "13"),
        ("second(1700000000)", "20"), ("extract(year FROM date '2024-02-03')", "2024"),
        ("last_day_of_month(date '2024-02-03')", "2024-02-29"),
        ("to_iso8601(from_unixtime(0))", "1970-01-01T08:00:00.000+08:00"),
        ("from_iso8601_timestamp('2020-01-01T00:00:00Z')", "2020-01-01 08:00:00.000"),
        ("date('2024-02-03 23:00:00')", "2024-02-03"), ("cast('2024-02-03' AS date)", "2024-02-03"),
        ("cast(date '2024-02-03' AS timestamp)", "2024-02-03 00:00:00.000"),
        ("cast(from_unixtime(1700000000) AS date)", "2023-11-15"),
        ("timestamp '2024-01-01 00:00:00' < '2024-01-01 00:00:01'", "true"),
        ("date '2024-01-01' = timestamp '2024-01-01 00:00:00'", "true"), ("__time__ - __time__ % 300", "1699999800"),
        ("date_trunc('day', timestamp '1969-12-31 23:00:00')", "1969-12-31 00:00:00.000"),
    ]

    static let numbers: [(String, String)] = [
        ("7 / 2", "3"), ("-7 / 2", "-3"), ("-7 % 3", "-1"), ("7 / 2.0", "3.5"), ("1 / 0.0", "Infinity"), ("0.0 / 0", "NaN"),
        ("2 * 3 + 4", "10"),
        ("2 + 3 * 4", "14"), ("-(-3)", "3"), ("1.0", "1.0"), ("1e3", "1000.0"), ("1611504000.0", "1611504000.0"),
        ("1e16", "1.0E16"), ("1.5e-7", "1.5E-7"),
        ("0.1 + 0.2", "0.30000000000000004"), ("abs(-5)", "5"), ("abs(-5.5)", "5.5"), ("round(2.5)", "3.0"),
        ("round(-2.5)", "-3.0"),
        ("round(1.2345, 2)", "1.23"), ("round(1234, -2)", "1200.0"), ("ceil(1.2)", "2.0"), ("floor(-1.2)", "-2.0"),
        ("truncate(-1.7)", "-1.0"), ("ceil(3)", "3"),
        ("sign(-3)", "-1"), ("mod(7, 3)", "1"), ("power(2, 10)", "1024.0"), ("sqrt(9)", "3.0"), ("cbrt(8)", "2.0"),
        ("ln(e())", "1.0"), ("log2(8)", "3.0"),
        ("log10(1000)", "3.0"), ("log(2, 8)", "3.0"), ("exp(0)", "1.0"), ("degrees(pi())", "180.0"), ("is_nan(nan())", "true"),
        ("is_finite(infinity())", "false"),
        ("greatest(1, 3, 2)", "3"), ("least('b', 'a')", "a"), ("greatest(1, 2.5)", "2.5"), ("to_base(255, 16)", "ff"),
        ("from_base('ff', 16)", "255"),
        ("width_bucket(5.0, 0.0, 10.0, 4)", "3"), ("bitwise_and(12, 10)", "8"), ("bitwise_or(12, 10)", "14"),
        ("bitwise_xor(12, 10)", "6"), ("bitwise_not(0)", "-1"),
        ("random() < 1.0", "true"), ("random(1)", "0"),
    ]

    static let addresses: [(String, String)] = [
        ("ip_to_domain('192.168.1.1')", "intranet"), ("ip_to_domain('8.8.8.8')", "internet"), ("ip_to_domain('x')", "null"),
        ("ip_to_domain('fe80::1')", "intranet"),
        ("ip_to_country('8.8.8.8')", "null"), ("ip_to_country('10.1.2.3', 'en')", "intranet"), ("ip_to_geo('8.8.8.8')", "null"),
        ("ip_prefix('192.168.100.5', 24)", "192.168.100.0/24"), ("ip_prefix('2001:db8::ff', 32)", "2001:db8::/32"),
        ("is_subnet_of('192.168.0.0/16', '192.168.5.6')", "true"), ("is_subnet_of('192.168.0.0/16', '192.169.5.6')", "false"),
        ("is_prefix_subnet_of('192.168.0.0/16', '192.168.5.0/24')", "true"),
        ("is_prefix_subnet_of('192.168.5.0/24', '192.168.0.0/16')", "false"),
        ("ip_subnet_min('192.168.100.5/24')", "192.168.100.0"), ("ip_subnet_max('192.168.100.5/23')", "192.168.101.255"),
        ("ip_subnet_range('10.0.0.5/30')", #"["10.0.0.4","10.0.0.7"]"#), ("ip_subnet_max('::ffff:0:0/96')", "::ffff:ffff:ffff"),
        ("security_check_ip('1.2.3.4')", "0"), ("security_check_domain('a.example')", "0"),
        ("security_check_url('http://a.example')", "0"),
        ("url_extract_host('https://u@a.example:8443/p/q?x=1&y=a%20b#f')", "a.example"),
        ("url_extract_port('https://u@a.example:8443/p')", "8443"),
        ("url_extract_protocol('https://a.example/')", "https"), ("url_extract_path('https://a.example/p/q?x=1')", "/p/q"),
        ("url_extract_query('https://a.example/p?x=1&y=2#f')", "x=1&y=2"), ("url_extract_fragment('https://a.example/p#f')", "f"),
        ("url_extract_parameter('https://a.example/p?x=1&y=a%20b', 'y')", "a b"),
        ("url_extract_parameter('https://a.example/p?x=1', 'z')", "null"),
        ("url_extract_host('http://[::1]:80/')", "[::1]"), ("url_encode('a b&ä')", "a+b%26%C3%A4"),
        ("url_decode('a+b%26%C3%A4')", "a b&ä"),
    ]

    static let logic: [(String, String)] = [
        ("if(1 < 2, 'a', 'b')", "a"), ("if(1 > 2, 'a')", "null"), ("if(NULL, 1, 2)", "2"), ("coalesce(NULL, NULL, 3)", "3"),
        ("nullif(1, 1)", "null"), ("nullif(1, 2)", "1"),
        ("CASE WHEN false THEN 1 WHEN true THEN 2 END", "2"), ("CASE 3 WHEN 1 THEN 'x' WHEN 3 THEN 'y' ELSE 'z' END", "y"),
        ("CASE NULL WHEN NULL THEN 1 ELSE 2 END", "2"),
        ("try(1 / 0)", "null"), ("coalesce(try(cast('x' AS bigint)), -1)", "-1"), ("try_cast('x' AS bigint)", "null"),
        ("try_cast('12' AS bigint)", "12"),
        ("cast(2.5 AS bigint)", "3"), ("cast(-2.5 AS bigint)", "-3"), ("cast(true AS bigint)", "1"),
        ("cast('true' AS boolean)", "true"), ("cast(12 AS varchar)", "12"), ("cast(1 AS double)", "1.0"),
        ("cast('abc' AS varchar(2))", "ab"), ("cast(' 1.5 ' AS double)", "1.5"), ("cast(array['1'] AS array(bigint))", "[1]"),
        ("typeof(1)", "bigint"), ("typeof(array[1.5])", "array(double)"), ("typeof(now())", "timestamp"),
        ("typeof(map(array['a'], array[1]))", "map(varchar, bigint)"),
        ("NULL = NULL", "null"), ("NULL IS NULL", "true"), ("1 IS NOT NULL", "true"), ("NULL AND false", "false"),
        ("NULL AND true", "null"), ("NULL OR true", "true"), ("NOT NULL", "null"),
        ("1 IS DISTINCT FROM NULL", "true"), ("NULL IS NOT DISTINCT FROM NULL", "true"), ("3 BETWEEN 1 AND 3", "true"),
        ("3 NOT BETWEEN 1 AND 2", "true"), ("NULL BETWEEN 1 AND 2", "null"),
        ("1 IN (1, NULL)", "true"), ("2 IN (1, NULL)", "null"), ("2 NOT IN (1, 3)", "true"), ("1 = 1.0", "true"),
        ("true = (1 = 1)", "true"), ("'a' < 'B'", "false"), ("'a' <> 'a'", "false"),
        ("1 != 2", "true"), ("nan() = nan()", "false"), ("(SELECT 5)", "5"),
        ("(SELECT x FROM (VALUES 1, 2) AS t(x) WHERE x > 5)", "null"), ("EXISTS (SELECT 1)", "true"),
        ("2 IN (SELECT x FROM (VALUES 1, 2) AS t(x))", "true"), ("3 NOT IN (SELECT x FROM (VALUES 1, NULL) AS t(x))", "null"),
    ]

    static let types: [(String, String)] = [
        ("count(1)", "bigint"), ("'a'", "varchar"), ("1.5", "double"), ("1 = 1", "boolean"), ("from_unixtime(0)", "timestamp"),
        ("current_date", "date"),
        ("split('a', 'b')", "array(varchar)"), ("json_parse('1')", "json"), ("histogram(__time__)", "map(bigint, bigint)"),
        ("avg(__time__)", "double"),
        ("sum(__time__)", "bigint"), ("transform(array[1], x -> 'a')", "array(varchar)"), ("NULL", "unknown"),
    ]

    @Test(arguments: types) func `has a type`(_ expression: String, _ type: String) throws {
        #expect(try SQLRows.type(expression) == type)
    }
}
