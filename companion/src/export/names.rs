//! Names of blocks: identifiers that say what the object is. The same object has the same name in every export. Where two would
//! have one name, both get what tells them apart (region, account), and only then a part of their id's digest.

use std::collections::BTreeMap;

use scalr_events::block_name;
use uuid::Uuid;

/// Generated once; another one would rename blocks.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0c_52d1_6e4b_4a37_9c58_21d7_b3e6_0f94);

/// An object that needs a name.
pub(crate) struct Wanted<'a> {
    pub(crate) id: String,
    /// The parts of its name.
    pub(crate) parts: Vec<&'a str>,
    /// What tells it apart from another one of that name.
    pub(crate) apart: Vec<&'a str>,
}

/// Names by the ids of the objects.
pub(crate) fn names<'a>(wanted: impl IntoIterator<Item = Wanted<'a>>) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for (name, alike) in grouped(wanted, |one| block_name(&one.parts)) {
        if let [one] = alike.as_slice() {
            named.insert(one.id.clone(), name);
            continue;
        }
        let longer = |one: &Wanted<'_>| block_name(&[one.parts.as_slice(), &one.apart].concat());
        for (name, alike) in grouped(alike, longer) {
            let is_alone = alike.len() == 1;
            for one in alike {
                let name = if is_alone {
                    name.clone()
                } else {
                    format!("{name}_{}", digest(&one.id))
                };
                named.insert(one.id, name);
            }
        }
    }
    named
}

fn grouped<'a>(
    wanted: impl IntoIterator<Item = Wanted<'a>>,
    name: impl Fn(&Wanted<'a>) -> String,
) -> BTreeMap<String, Vec<Wanted<'a>>> {
    let mut groups: BTreeMap<String, Vec<Wanted<'a>>> = BTreeMap::new();
    for one in wanted {
        groups.entry(name(&one)).or_default().push(one);
    }
    groups
}

fn digest(id: &str) -> String {
    let mut digest = Uuid::new_v5(&NAMESPACE, id.as_bytes()).simple().to_string();
    digest.truncate(8);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_stay() {
        let named = |all: &[(&str, &[&'static str], &'static str)]| {
            names(all.iter().map(|(id, parts, apart)| Wanted {
                id: (*id).to_owned(),
                parts: parts.to_vec(),
                apart: vec![*apart],
            }))
        };
        let one = named(&[("1", &["a", "b"], "x"), ("2", &["c"], "x")]);
        assert_eq!((&*one["1"], &*one["2"]), ("a_b", "c"));
        let two = named(&[("1", &["a"], "eu-west-1"), ("2", &["a"], "us-east-1")]);
        assert_eq!((&*two["1"], &*two["2"]), ("a_eu-west-1", "a_us-east-1"));
        // Whatever the order.
        let three = named(&[("3", &["a_b"], "x"), ("2", &["c"], "x"), ("1", &["a", "b"], "x")]);
        assert_eq!(
            (&*three["1"], &*three["3"], &*three["2"]),
            ("a_b_x_9496421d", "a_b_x_153a00e7", "c")
        );
    }
}
