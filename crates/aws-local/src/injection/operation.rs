//! The operation that a fault is for: one that the server has, or a fault would be added and never hit.

use super::request::Refused;

/// The longest name that is read.
const NAME_CHARS_MAX: usize = 256;

/// Refuses a pattern that no operation fits. `*` in a known name stands for what differs from call to call, such as an id.
pub(super) fn check<S: AsRef<str>>(wanted: &str, known: &[S]) -> Result<(), Refused> {
    if wanted.chars().count() > NAME_CHARS_MAX {
        return Err(Refused(format!(
            "`operation` has at most {NAME_CHARS_MAX} characters."
        )));
    }
    let mut known = known.iter().map(AsRef::as_ref);
    if known
        .clone()
        .any(|name| may_be_same(wanted.as_bytes(), name.as_bytes()))
    {
        return Ok(());
    }
    let nearest = known
        .clone()
        .filter(|name| name.contains(wanted))
        .min_by_key(|name| name.len());
    let nearest = nearest.or_else(|| known.by_ref().min_by_key(|name| distance(wanted, name)));
    let hint = nearest.map_or_else(String::new, |name| {
        format!(" The nearest that it has is `{name}`.")
    });
    Err(Refused(format!("This server has no operation `{wanted}`.{hint}")))
}

/// Whether some text fits both patterns: `*` stands for any text, `?` for one character.
fn may_be_same(one: &[u8], other: &[u8]) -> bool {
    // Row by row: whether the first so many characters of `one` and of `other` may stand for the same text.
    let mut row = vec![false; other.len() + 1];
    for at in 0..=one.len() {
        let mut next = vec![false; other.len() + 1];
        for to in 0..=other.len() {
            let (last, other_last) = (at.checked_sub(1), to.checked_sub(1));
            next[to] = match (last.map(|at| one[at]), other_last.map(|to| other[to])) {
                (None, None) => true,
                (Some(b'*'), _) if row[to] => true,
                (_, Some(b'*')) if next[to - 1] => true,
                (Some(b'*'), Some(_)) => next[to - 1],
                (Some(_), Some(b'*')) => row[to],
                (Some(a), Some(b)) => row[to - 1] && (a == b || a == b'?' || b == b'?'),
                _ => false,
            };
        }
        row = next;
    }
    row.last() == Some(&true)
}

/// How many letters have to be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.to_ascii_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (to, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[to + 1];
            row[to + 1] = changed.min(diagonal + 1).min(row[to] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = [
        "events:PutRule",
        "events:PutTargets",
        "logs:PutRetentionPolicy",
        "GET /api/connections/*",
        "GET /api/connections",
    ];

    #[test]
    fn what_no_operation_fits_is_refused_with_the_nearest() {
        for (wanted, nearest) in [
            ("*", None),
            ("events:PutRule", None),
            ("events:Put*", None),
            ("*:PutRule", None),
            ("events:PutRul?", None),
            ("GET /api/connections/in-1", None),
            ("GET /api/connections/in-*", None),
            ("GET /api/*", None),
            ("* /api/connections/*", None),
            ("events:PutRul", Some("events:PutRule")),
            ("event:PutRule", Some("events:PutRule")),
            ("events:putrule", Some("events:PutRule")),
            ("PutRetentionPolicy", Some("logs:PutRetentionPolicy")),
            ("logs:PutTarget*", Some("events:PutTargets")),
            ("GET /api/connection/in-1", Some("GET /api/connections/*")),
            ("POST /api/connections", Some("GET /api/connections")),
            ("", Some("events:PutRule")),
        ] {
            let refused = check(wanted, &KNOWN).err().map(|refused| refused.to_string());
            match nearest {
                None => assert_eq!(refused, None, "{wanted}"),
                Some(name) => assert!(
                    refused
                        .as_deref()
                        .is_some_and(|text| text.contains(&format!("`{name}`"))),
                    "{wanted}: {refused:?}"
                ),
            }
        }
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        assert!(
            check(&long, &KNOWN)
                .unwrap_err()
                .to_string()
                .contains("at most 256")
        );
    }
}
