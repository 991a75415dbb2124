//! Events that a given pattern matches, or just fails to.

use super::pattern::{ADDRESSES, WORDS, key, number, word};
use super::{Json, Random};

/// An event made for the pattern.
pub(crate) fn event(random: &mut Random, pattern: &Json) -> Json {
    let Json::Obj(fields) = pattern else {
        return Json::Obj(Vec::new());
    };
    let event = object(random, fields);
    if let Json::Obj(mut list) = event {
        if random.once_in(3) {
            list.push((key(random), value(random)));
        }
        if random.once_in(25) && !list.is_empty() {
            let again = list[random.below(list.len())].0.clone();
            list.push((again, value(random)));
        }
        return Json::Obj(list);
    }
    event
}

fn object(random: &mut Random, fields: &[(String, Json)]) -> Json {
    let mut out: Vec<(String, Json)> = Vec::new();
    for (key, under) in fields {
        if random.once_in(10) {
            continue;
        }
        match under {
            Json::Arr(branches) if key == "$or" && !branches.is_empty() && !random.once_in(20) => {
                let branch = random.pick(branches);
                if let Json::Obj(fields) = branch
                    && let Json::Obj(more) = object(random, &fields)
                {
                    out.extend(more);
                }
            }
            Json::Arr(tests) => {
                if let Some(value) = field(random, tests) {
                    put(random, &mut out, key, value);
                }
            }
            Json::Obj(fields) => {
                let value = nested(random, fields);
                put(random, &mut out, key, value);
            }
            _ => {}
        }
    }
    Json::Obj(out)
}

/// Keys are put one within another, now and then joined by a dot, and seldom twice.
fn put(random: &mut Random, out: &mut Vec<(String, Json)>, key: &str, value: Json) {
    if let Json::Obj(inner) = &value
        && random.once_in(25)
    {
        out.extend(
            inner
                .iter()
                .map(|(name, value)| (format!("{key}.{name}"), value.clone())),
        );
        return;
    }
    if !random.once_in(30) {
        out.retain(|(name, _)| name != key);
    }
    out.push((key.to_owned(), value));
}

/// An object, or an array of such objects, whose fields may match only in different elements.
fn nested(random: &mut Random, fields: &[(String, Json)]) -> Json {
    if random.below(3) > 0 {
        return object(random, fields);
    }
    let count = random.below(4);
    let mut list: Vec<Json> = (0..count).map(|_| object(random, fields)).collect();
    if random.once_in(6) {
        list.push(value(random));
    }
    if random.once_in(8) {
        list = vec![Json::Arr(list), object(random, fields)];
    }
    Json::Arr(list)
}

fn field(random: &mut Random, tests: &[Json]) -> Option<Json> {
    if tests.is_empty() {
        return None;
    }
    let test = random.pick(tests);
    let value = candidate(random, &test)?;
    Some(match random.below(8) {
        0 => Json::Arr(vec![value]),
        1 => {
            let other = candidate(random, &test).unwrap_or_else(|| scalar(random));
            Json::Arr(vec![other, value])
        }
        2 if random.once_in(4) => Json::Arr(Vec::new()),
        3 if random.once_in(4) => Json::Arr(vec![Json::Arr(vec![value])]),
        _ => value,
    })
}

/// A value that passes the test, comes near to it, or has nothing to do with it.
fn candidate(random: &mut Random, one: &Json) -> Option<Json> {
    if random.once_in(8) {
        return Some(scalar(random));
    }
    match one {
        Json::Obj(list) => {
            let (operator, operand) = list.first()?;
            by_operator(random, operator, operand)
        }
        Json::Str(text) => Some(near(random, text)),
        other => Some(other.clone()),
    }
}

fn by_operator(random: &mut Random, operator: &str, operand: &Json) -> Option<Json> {
    match (operator, operand) {
        ("exists", Json::Raw(text)) if text == "false" => random.once_in(3).then(|| scalar(random)),
        ("exists", _) => Some(scalar(random)),
        ("cidr", _) => Some(Json::str(random.pick(&ADDRESSES))),
        ("wildcard", Json::Str(text)) => {
            let filler = random.pick(&["", "a", "b", "xyz", "ab", "/", "é"]);
            let text = text
                .replace("\\*", "\u{1}")
                .replace('*', filler)
                .replace('\u{1}', "*")
                .replace("\\\\", "\\");
            Some(near(random, &text))
        }
        ("prefix", Json::Str(text)) => {
            let text = format!("{text}{}", random_word(random));
            Some(near(random, &text))
        }
        ("suffix", Json::Str(text)) => {
            let text = format!("{}{text}", random_word(random));
            Some(near(random, &text))
        }
        ("equals-ignore-case", Json::Str(text)) => Some(cased(random, text)),
        ("prefix", Json::Obj(list)) => match list.first() {
            Some((_, Json::Str(text))) => {
                let text = format!("{text}{}", random_word(random));
                Some(cased(random, &text))
            }
            _ => None,
        },
        ("suffix", Json::Obj(list)) => match list.first() {
            Some((_, Json::Str(text))) => {
                let text = format!("{}{text}", random_word(random));
                Some(cased(random, &text))
            }
            _ => None,
        },
        ("anything-but", Json::Obj(list)) => {
            let (operator, operand) = list.first()?;
            let operand = match operand {
                Json::Arr(list) if !list.is_empty() => random.pick(list),
                other => other.clone(),
            };
            by_operator(random, operator, &operand)
        }
        (_, Json::Arr(list)) if !list.is_empty() => {
            let one = random.pick(list);
            if random.once_in(3) {
                Some(number(random))
            } else {
                Some(one)
            }
        }
        (_, other) => Some(other.clone()),
    }
}

fn random_word(random: &mut Random) -> String {
    if random.once_in(3) {
        String::new()
    } else {
        random.pick(&WORDS).to_owned()
    }
}

fn near(random: &mut Random, text: &str) -> Json {
    let mut chars: Vec<char> = text.chars().collect();
    if random.once_in(5) && !chars.is_empty() {
        let at = random.below(chars.len());
        match random.below(3) {
            0 => {
                chars.remove(at);
            }
            1 => chars.insert(at, chars[at]),
            _ => chars[at] = random.pick(&['a', 'b', 'A', 'é', '*', '"', '?']),
        }
    }
    Json::Str(chars.into_iter().collect())
}

fn cased(random: &mut Random, text: &str) -> Json {
    let cased: String = text
        .chars()
        .flat_map(|c| {
            let forms: [Vec<char>; 3] = [vec![c], c.to_uppercase().collect(), c.to_lowercase().collect()];
            random.pick(&forms)
        })
        .collect();
    near(random, &cased)
}

fn scalar(random: &mut Random) -> Json {
    match random.below(5) {
        0 => number(random),
        1 => Json::raw(random.pick(&["true", "false", "null"])),
        2 => Json::str(random.pick(&ADDRESSES)),
        _ => word(random),
    }
}

fn value(random: &mut Random) -> Json {
    match random.below(6) {
        0 => Json::Arr((0..random.below(3)).map(|_| scalar(random)).collect()),
        1 => Json::Obj(vec![(key(random), scalar(random))]),
        2 => Json::Arr(vec![
            Json::Obj(vec![(key(random), scalar(random))]),
            scalar(random),
        ]),
        _ => scalar(random),
    }
}
