//! Which texts are names of AWS regions.

/// `us-east-1`, `us-gov-west-1`, `mx-central-1`: two letters, words, a digit or two.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, words @ .., last] = parts.as_slice() else {
        return false;
    };
    let lower =
        |part: &&str| !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_lowercase());
    (2..=4).contains(&first.len())
        && lower(first)
        && (1..=3).contains(&words.len())
        && words.iter().all(lower)
        && (1..=2).contains(&last.len())
        && last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regions_are_accepted_as_regions() {
        for (text, is) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("ap-southeast-12", true),
            ("us-east", false),
            ("us--1", false),
            ("US-EAST-1", false),
            ("us-east-1a", false),
            ("", false),
            ("us-east-1/../x", false),
        ] {
            assert_eq!(is_region(text), is, "{text}");
        }
    }
}
