//! Names of blocks of a configuration, after the objects that they are for: in exports, and in import blocks that messages hold.

/// So many hexadecimal digits in a row, hyphens between them left out, are not what a person writes.
const GENERATED_DIGITS: usize = 16;

/// Whether a text was made by a program: it has a UUID, a digest or a time in it.
pub fn is_generated(text: &str) -> bool {
    let mut run = 0;
    for c in text.chars() {
        match c {
            '-' if run > 0 => {}
            c if c.is_ascii_hexdigit() => run += 1,
            _ => run = 0,
        }
        if run >= GENERATED_DIGITS {
            return true;
        }
    }
    false
}

/// The parts as one name of a block: an identifier of ASCII letters.
pub fn block_name(parts: &[&str]) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let parts = parts
        .iter()
        .map(|part| part.chars().map(kept).collect::<String>());
    let parts: Vec<String> = parts.map(|part| part.trim_matches('_').to_owned()).collect();
    let name = parts.join("_");
    let name = name.trim_matches('_');
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name.to_owned(),
        Some(_) => format!("_{name}"),
        None => "unnamed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        for (text, want) in [
            ("prod", "prod"),
            ("prod-1.eu", "prod-1_eu"),
            ("1st", "_1st"),
            ("-x", "_-x"),
            ("größe \"x\"\n${y}", "gr__e__x____y"),
            ("", "unnamed"),
            ("🚀", "unnamed"),
        ] {
            assert_eq!(block_name(&[text]), want, "{text:?}");
        }
    }

    #[test]
    fn parts_are_joined() {
        assert_eq!(
            block_name(&["prod", "runs", "/scalr/runs"]),
            "prod_runs_scalr_runs"
        );
        assert_eq!(block_name(&["", "runs"]), "runs");
    }

    #[test]
    fn what_a_program_made_is_recognised() {
        for (text, is) in [
            ("queue", false),
            ("decade-face-2026", false),
            ("scalr-4251eb2d10fa5da7bb156632537dfd30", true),
            ("Id5f8b1e6c-7f0a-4d6e-9d5c-0f2f6d1c2b3a", true),
            ("terraform-20260101120000000100000001", true),
            ("prod-us-east-1-123456789012", false),
        ] {
            assert_eq!(is_generated(text), is, "{text}");
        }
    }
}
