//! AWS's regions: which names a partition can have, and which there are.
//!
//! Both are of the list that AWS's SDKs come with (`tests/data/partitions.json` names the version). AWS adds regions, so a name
//! of a partition's form that is not in the list may be right: the caller decides what to do about it.

use crate::nearest::nearest;

/// What the names of a partition's regions begin with. A word and a number follow.
const BEGINNINGS: [&str; 16] = [
    "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn", "us-gov", "us-iso", "us-isob", "eu-isoe",
    "us-isof", "eusc-de",
];

/// The regions that there were when this was written.
const KNOWN: [&str; 48] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Those with custom event buses, by the endpoints of botocore 1.44.8. A partner's events reach a custom bus in their own region only.
const WITH_CUSTOM_BUSES: [&str; 14] = [
    "ap-east-1",
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-5",
    "ap-southeast-7",
    "eu-central-1",
    "eu-north-1",
    "eu-south-2",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// The regions that had custom event buses when this was written.
pub fn with_custom_buses() -> &'static [&'static str] {
    &WITH_CUSTOM_BUSES
}

/// Whether a partition of AWS's may have a region of this name.
pub fn may_exist(name: &str) -> bool {
    let parts = name.rsplit_once('-').and_then(|(rest, number)| {
        let (beginning, word) = rest.rsplit_once('-')?;
        Some((beginning, word, number))
    });
    let Some((beginning, word, number)) = parts else {
        return false;
    };
    BEGINNINGS.contains(&beginning)
        && !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether there was a region of this name when this was written.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// The known region that was probably meant.
pub fn meant(name: &str) -> Option<&'static str> {
    // The number alone is wrong more often than the word.
    let beginning = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let same = KNOWN
        .into_iter()
        .find(|known| beginning.ends_with('-') && known.starts_with(beginning));
    same.or_else(|| nearest(name, KNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The local AWS is held to the same list.
    #[test]
    fn the_regions_of_custom_event_buses_are_those_of_the_endpoints() {
        let list = include_str!("../../../tests/data/custom_event_bus_regions.json");
        let list: Vec<String> = serde_json::from_str(list).expect("JSON");
        assert_eq!(list, with_custom_buses());
    }

    #[test]
    fn the_list_is_that_of_the_sdks() {
        let list = include_str!("../../../tests/data/partitions.json");
        let list: serde_json::Value = serde_json::from_str(list).expect("JSON");
        let mut regions: Vec<&str> = list["regions"]
            .as_object()
            .expect("regions")
            .keys()
            .map(String::as_str)
            .collect();
        regions.sort_unstable();
        assert_eq!(KNOWN.as_slice(), regions);
        assert!(KNOWN.into_iter().all(may_exist));
        // Each beginning is in the form of a partition, and no form has another.
        let forms: String = list["forms"]
            .as_object()
            .expect("forms")
            .values()
            .map(ToString::to_string)
            .collect();
        let words = |text: &str| {
            let mut words: Vec<String> = text
                .split(|c: char| !c.is_ascii_lowercase())
                .map(str::to_owned)
                .collect();
            words.retain(|word| word.len() > 1);
            words.sort_unstable();
            words.dedup();
            words
        };
        assert_eq!(words(&BEGINNINGS.join(" ")), words(&forms));
    }

    #[test]
    fn regions_with_custom_buses_are_known() {
        assert!(WITH_CUSTOM_BUSES.is_sorted() && WITH_CUSTOM_BUSES.into_iter().all(is_known));
        assert!(!with_custom_buses().contains(&"eu-west-3"));
    }

    #[test]
    fn a_name_of_no_partitions_form_is_none() {
        for (name, exists) in [
            ("us-east-1", true),
            ("eu-central-9", true),
            ("us-gov-west-1", true),
            ("eusc-de-east-1", true),
            ("eusc-fr-east-1", false),
            ("uk-south-1", false),
            ("mars-north-1", false),
            ("us-east-1-2", false),
            ("eu-west", false),
            ("us-1", false),
            ("us--1", false),
            ("-east-1", false),
            ("us-east-", false),
            ("us-east-123", false),
            ("US-EAST-1", false),
        ] {
            assert_eq!(may_exist(name), exists, "{name}");
        }
    }

    #[test]
    fn the_nearest_is_the_one_that_was_meant() {
        for (name, want) in [
            ("us-east-3", Some("us-east-1")),
            ("eu-centrl-1", Some("eu-central-1")),
            ("uk-east-1", Some("us-east-1")),
            ("useast1", Some("us-east-1")),
            ("virginia", None),
        ] {
            assert_eq!(meant(name), want, "{name}");
        }
    }
}
