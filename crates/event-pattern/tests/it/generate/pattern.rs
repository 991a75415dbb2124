//! Patterns that are right, and patterns with one thing wrong.

use super::{Json, Random};

pub(crate) const KEYS: [&str; 14] = [
    "a", "b", "c", "d", "aa", "a.b", "b.c", "x-y", "", "a-", "é", "detail", "source", "$or",
];

pub(crate) const WORDS: [&str; 44] = [
    "a",
    "b",
    "ab",
    "abc",
    "aab",
    "abab",
    "ABC",
    "Abc",
    "abcabc",
    "",
    "x",
    "xyz",
    "foo",
    "foobar",
    "bar",
    "barfoo",
    "é",
    "É",
    "ß",
    "SS",
    "ss",
    "İ",
    "i̇",
    "ı",
    "Straße",
    "STRASSE",
    "日本",
    "日本語",
    "😀",
    "??",
    "x😀",
    "\"",
    "a\"b",
    "\\",
    "a\\b",
    "*",
    "a*b",
    "/dir/a.txt",
    "/dir/dir/b.TXT",
    "1",
    "true",
    "null",
    "a b",
    "ſ",
];

pub(crate) const NUMBERS: [&str; 40] = [
    "0",
    "1",
    "-1",
    "2",
    "5",
    "10",
    "300",
    "3e2",
    "300.0",
    "3.00E+2",
    "0.3e3",
    "-0",
    "-0.0",
    "0.1",
    "0.10",
    "1e-1",
    "100",
    "99",
    "5000000000",
    "5000000001",
    "-5000000000",
    "1e10",
    "9007199254740992",
    "9007199254740993",
    "123456789012",
    "12345678901234567890",
    "1e400",
    "1e-400",
    "1.7976931348623157e308",
    "4.9e-324",
    "5e-324",
    "2.5",
    "0.30000000000000004",
    "1234.5678",
    "-2.5",
    "137000000000.0",
    "10203040",
    "3.141592653589793",
    "0.1000000000000000055511151231257827",
    "1E2",
];

pub(crate) const ADDRESSES: [&str; 28] = [
    "10.0.0.1",
    "10.0.0.0",
    "10.0.0.255",
    "10.0.1.0",
    "10.1.2.3",
    "010.0.0.1",
    "256.0.0.1",
    "10.0.0",
    "10.0.0.1.2",
    "0.0.0.0",
    "255.255.255.255",
    "127.0.0.1",
    "::1",
    "::",
    "2001:db8::1",
    "2001:DB8::1",
    "2001:0db8:0:0:0:0:0:1",
    "2001:db8:0:0::1",
    "2001:db8::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "::ffff:a00:1",
    "fe80::1%eth0",
    "1::2::3",
    "32.1.13.184",
    "0010.0.0.01",
    "16.32.48.64",
];

pub(crate) const RANGES: [&str; 14] = [
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.1/31",
    "10.0.0.0/0",
    "0.0.0.0/1",
    "2001:db8::/32",
    "2001:db8::/127",
    "2001::/16",
    "32.1.0.0/16",
    "::/0",
    "10.0.0.7/29",
    "10.0.0.0/+8",
    "2001:db8::1/64",
    "010.0.0.0/8/",
];

/// Ranges that are none.
const NO_RANGES: [&str; 10] = [
    "10.0.0.1/32",
    "10.0.0.0/-1",
    "10.0.0.0/x",
    "10.0.0.0",
    "/8",
    "x/8",
    "2001:db8::/128",
    "256.0.0.1/8",
    "10.0.0.0/8/8",
    "",
];

pub(crate) const WILDCARDS: [&str; 22] = [
    "*",
    "a*",
    "*a",
    "a*b",
    "*b*",
    "ab*ab",
    "*ab*ab*",
    "a*b*c",
    "a\\*b",
    "a\\\\b",
    "",
    "foo*bar",
    "/dir/*.txt",
    "*/dir/*",
    "*é*",
    "😀*",
    "abc",
    "*a*a*",
    "*.TXT",
    "\\*",
    "a*ab",
    "*\"*",
];

/// A pattern that the engine takes, in nearly all cases.
pub(crate) fn pattern(random: &mut Random) -> Json {
    object(random, 0)
}

fn object(random: &mut Random, depth: usize) -> Json {
    let count = 1 + random.below(if depth == 0 { 4 } else { 2 });
    let mut fields = Vec::new();
    for _ in 0..count {
        if random.once_in(7) && depth < 4 {
            fields.push(("$or".to_owned(), or(random, depth)));
            continue;
        }
        let key = key(random);
        let value = if depth < 3 && random.once_in(3) {
            object(random, depth + 1)
        } else {
            list(random)
        };
        fields.push((key, value));
    }
    Json::Obj(fields)
}

/// Mostly plain keys: the others hide much of what follows.
pub(crate) fn key(random: &mut Random) -> String {
    let end = if random.once_in(5) { KEYS.len() } else { 5 };
    KEYS[random.below(end)].to_owned()
}

fn or(random: &mut Random, depth: usize) -> Json {
    let count = 2 + random.below(2);
    Json::Arr((0..count).map(|_| object(random, depth + 2)).collect())
}

fn list(random: &mut Random) -> Json {
    let count = if random.once_in(2) { 1 } else { 1 + random.below(3) };
    Json::Arr((0..count).map(|_| test(random)).collect())
}

fn test(random: &mut Random) -> Json {
    match random.below(24) {
        0..=3 => word(random),
        4 | 5 => number(random),
        6 => Json::raw(random.pick(&["true", "false", "null"])),
        7 => Json::str(random.pick(&ADDRESSES)),
        8 => Json::one("prefix", word(random)),
        9 => Json::one("suffix", word(random)),
        10 => Json::one("prefix", Json::one("equals-ignore-case", word(random))),
        11 => Json::one("suffix", Json::one("equals-ignore-case", word(random))),
        12 => Json::one("equals-ignore-case", word(random)),
        13 | 14 => Json::one("wildcard", Json::str(random.pick(&WILDCARDS))),
        15 => Json::one(
            "cidr",
            Json::str(if random.once_in(30) {
                random.pick(&NO_RANGES)
            } else {
                random.pick(&RANGES)
            }),
        ),
        16 | 17 => Json::one("numeric", numeric(random)),
        18 => Json::one("exists", Json::raw("true")),
        19 | 20 => Json::one("exists", Json::raw("false")),
        21 | 22 => Json::one("anything-but", anything_but(random)),
        _ => Json::one("exactly", word(random)),
    }
}

pub(crate) fn word(random: &mut Random) -> Json {
    if random.once_in(60) {
        return Json::raw(random.pick(&["\"\\ud83d\"", "\"a\\ude00\"", "\"\\ud83dx\""]));
    }
    Json::str(random.pick(&WORDS))
}

pub(crate) fn number(random: &mut Random) -> Json {
    if random.once_in(3) {
        let digits = random.below(2000);
        return Json::Raw(format!("{}.{}", digits / 10, digits % 10));
    }
    Json::raw(random.pick(&NUMBERS))
}

fn numeric(random: &mut Random) -> Json {
    if random.once_in(2) {
        let number = if random.once_in(40) {
            number(random)
        } else {
            comparable(random)
        };
        return Json::Arr(vec![Json::str(random.pick(&["=", "<", "<=", ">", ">="])), number]);
    }
    let low = random.below(300);
    let high = if random.once_in(40) {
        low
    } else {
        low + 1 + random.below(300)
    };
    let spelt = |number: usize, random: &mut Random| match random.below(3) {
        0 => Json::Raw(number.to_string()),
        1 => Json::Raw(format!("{}.{}e1", number / 10, number % 10)),
        _ => Json::Raw(format!("{number}.0")),
    };
    let mut list = vec![Json::str(random.pick(&[">", ">="])), spelt(low, random)];
    list.extend([Json::str(random.pick(&["<", "<="])), spelt(high, random)]);
    Json::Arr(list)
}

/// A number that a double holds.
fn comparable(random: &mut Random) -> Json {
    loop {
        let number = number(random);
        let beyond = [
            "9007199254740993",
            "12345678901234567890",
            "1e400",
            "1e-400",
            "5e-324",
            "1.7976931348623157e308",
        ];
        let held = |text: &str| !beyond.contains(&text) && text.len() < 20;
        if matches!(&number, Json::Raw(text) if held(text)) {
            return number;
        }
    }
}

fn anything_but(random: &mut Random) -> Json {
    let of = random.pick(&["", "", "", "prefix", "suffix", "equals-ignore-case", "wildcard"]);
    let numbers = of.is_empty() && random.once_in(3);
    let one = |random: &mut Random| match of {
        "wildcard" => Json::str(random.pick(&WILDCARDS)),
        _ if numbers && random.once_in(40) => number(random),
        _ if numbers => comparable(random),
        _ => word(random),
    };
    let value = if random.once_in(2) {
        one(random)
    } else {
        let count = if random.once_in(20) {
            0
        } else {
            1 + random.below(3)
        };
        Json::Arr((0..count).map(|_| one(random)).collect())
    };
    if of.is_empty() {
        value
    } else {
        Json::one(of, value)
    }
}

/// The pattern with one thing in it replaced by something that is invalid there.
pub(crate) fn broken(random: &mut Random, pattern: &Json) -> Json {
    let mut broken = pattern.clone();
    let mut left = random.below(count(pattern));
    replace(random, &mut broken, &mut left);
    broken
}

fn count(json: &Json) -> usize {
    1 + match json {
        Json::Raw(_) | Json::Str(_) => 0,
        Json::Arr(list) => list.iter().map(count).sum::<usize>(),
        Json::Obj(list) => list.iter().map(|(_, value)| count(value)).sum::<usize>(),
    }
}

fn replace(random: &mut Random, json: &mut Json, left: &mut usize) -> bool {
    if *left == 0 {
        *json = wrong(random, json);
        return true;
    }
    *left -= 1;
    match json {
        Json::Raw(_) | Json::Str(_) => false,
        Json::Arr(list) => list.iter_mut().any(|item| replace(random, item, left)),
        Json::Obj(list) => list.iter_mut().any(|(_, value)| replace(random, value, left)),
    }
}

fn wrong(random: &mut Random, json: &Json) -> Json {
    if let Json::Obj(list) = json
        && random.once_in(2)
    {
        let mut list = list.clone();
        match random.below(4) {
            0 => list.push((
                random.pick(&["prefix", "b", "exists", "x"]).to_owned(),
                Json::raw("true"),
            )),
            1 => list.clear(),
            _ => {
                let names = [
                    "prefix",
                    "suffix",
                    "numeric",
                    "exists",
                    "cidr",
                    "wildcard",
                    "anything-but",
                    "Prefix",
                    "$or",
                    "regex",
                ];
                let name = random.pick(&names);
                if let Some(first) = list.first_mut() {
                    name.clone_into(&mut first.0);
                }
            }
        }
        return Json::Obj(list);
    }
    match random.below(16) {
        0 => Json::Obj(Vec::new()),
        1 => Json::Arr(Vec::new()),
        2 => Json::raw("true"),
        3 => Json::raw("null"),
        4 => Json::raw("5"),
        5 => Json::str("x"),
        6 => Json::Arr(vec![json.clone()]),
        7 => Json::Arr(vec![json.clone(), json.clone()]),
        8 => Json::one("prefix", json.clone()),
        9 => Json::one("anything-but", json.clone()),
        10 => Json::one("equals-ignore-case", json.clone()),
        11 => Json::str(random.pick(&["a**b", "a\\x", "\\", "***", "a\\\\*"])),
        12 => Json::one("$or", json.clone()),
        13 => Json::Arr(vec![Json::str(random.pick(&["=", "<", "!", ">"])), json.clone()]),
        14 => Json::Arr(vec![
            Json::str(">"),
            Json::raw("5"),
            Json::str(random.pick(&["<", ">", "="])),
            Json::raw("3"),
        ]),
        _ => Json::Arr(vec![json.clone(), Json::raw("1"), Json::str("x")]),
    }
}
