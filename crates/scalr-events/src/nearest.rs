//! The known name that was probably meant by a misspelt one.

/// The known name closest to `given`, if one is close enough to suggest.
///
/// Case, `-` and `_` are ignored; a name that is at least a third of another, and stands in it, is close.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest(given, known, |given, known| {
        let (short, long) = if given.len() < known.len() {
            (given, known)
        } else {
            (known, given)
        };
        short.len() > 3 && 3 * short.len() >= long.len() && contains(long, short)
    })
}

/// The known value that is spelt most like `given`, if one is spelt nearly so. One that contains the other may mean something else.
pub(crate) fn nearest_spelling(
    given: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    closest(given, known, |_, _| false)
}

fn closest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
    is_close: fn(&[char], &[char]) -> bool,
) -> Option<&'a str> {
    let given = fold(given);
    let limit = (given.len() / 3).max(1);
    let scored = known.into_iter().filter_map(|name| {
        let folded = fold(name);
        let distance = distance(&given, &folded);
        // Of two letters one would be half of the name.
        let is_similar = distance <= limit && 2 * distance < given.len().max(folded.len()).max(1);
        (is_similar || is_close(&given, &folded)).then_some((distance, name))
    });
    scored.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

// Bounded, so that a hostile name costs no more than a long one.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .take(64)
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn contains(whole: &[char], part: &[char]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// Edits between two names: insert, delete, replace, or swap two neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(left != right);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn short_names_are_close_only_where_most_of_them_agree() {
        for (given, known, want) in [
            ("a", "b", None),
            ("us", "eu", None),
            ("us", "u-s", Some("u-s")),
            ("dve", "dev", Some("dev")),
            ("prod", "production", Some("production")),
            ("prod", "nonproduction-network", None),
            ("prod", "prod-eu", Some("prod-eu")),
            ("", "a", None),
        ] {
            assert_eq!(nearest(given, [known]), want, "{given}");
        }
    }

    #[test]
    fn the_closest_name_is_suggested() {
        let known = ["workspace", "is_dry", "user_email", "run_id"];
        for (given, want) in [
            ("workspce", Some("workspace")),
            ("rnu_id", Some("run_id")),
            ("rnud", None),
            ("is-dry", Some("is_dry")),
            ("isDry", Some("is_dry")),
            ("email", Some("user_email")),
            ("workspace_name", Some("workspace")),
            ("runid", Some("run_id")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), want, "{given}");
        }
    }
}
