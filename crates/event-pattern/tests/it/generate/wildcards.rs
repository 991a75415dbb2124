//! Patterns that are all wildcards and what gets in their way, to count how complex they are.

use super::{Json, Random};

const LETTERS: [&str; 6] = ["a", "a", "b", "ab", "/", "é"];

pub(super) fn pattern(random: &mut Random) -> Json {
    object(random, 0)
}

fn object(random: &mut Random, depth: usize) -> Json {
    let mut fields = Vec::new();
    for _ in 0..=random.below(2) {
        let key = random.pick(&["a", "b", "c"]).to_owned();
        fields.push(match random.below(10) {
            0 if depth < 2 => {
                let branches = vec![object(random, depth + 1), object(random, depth + 1)];
                ("$or".to_owned(), Json::Arr(branches))
            }
            1 if depth < 2 => (key, object(random, depth + 1)),
            _ => (key, list(random)),
        });
    }
    Json::Obj(fields)
}

fn list(random: &mut Random) -> Json {
    let count = 1 + random.below(4);
    Json::Arr((0..count).map(|_| test(random)).collect())
}

fn test(random: &mut Random) -> Json {
    match random.below(12) {
        0..=5 => Json::one("wildcard", wildcard(random)),
        6 => Json::one("anything-but", Json::one("wildcard", wildcard(random))),
        7 => {
            let list = (0..=random.below(3)).map(|_| wildcard(random)).collect();
            Json::one("anything-but", Json::one("wildcard", Json::Arr(list)))
        }
        8 => letters(random),
        9 => {
            let affix = random.pick(&["prefix", "suffix", "equals-ignore-case"]);
            Json::one(affix, letters(random))
        }
        10 => {
            let affix = random.pick(&["prefix", "suffix"]);
            Json::one(affix, Json::one("equals-ignore-case", letters(random)))
        }
        _ => Json::one("exists", Json::raw(random.pick(&["true", "false"]))),
    }
}

fn letters(random: &mut Random) -> Json {
    let count = random.below(4);
    Json::str(&(0..count).map(|_| random.pick(&LETTERS)).collect::<String>())
}

/// Stars are never adjacent.
fn wildcard(random: &mut Random) -> Json {
    let mut text = String::new();
    let often = 1 + random.below(6);
    for _ in 0..random.below(10) {
        if random.once_in(often) && !text.ends_with('*') {
            text.push('*');
        } else {
            text.push_str(random.pick(&LETTERS));
        }
    }
    Json::str(&text)
}
